// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Tells whether the running call is the transaction itself.
/// @notice Attribution batches are read from a transaction's own calldata, so a batch that some contract passed on
///         would be invisible to the readers. It has to be refused, not merely discouraged.
library TopLevel {
    /// @dev `msg.sender == tx.origin` alone stopped being enough with EIP-7702: an account with delegated code can be
    ///      the target of its own transaction and call on from there. An account without code executes nothing, and
    ///      delegations take effect before the execution starts, so both conditions together leave only the top call.
    function isTopLevel(address caller) internal view returns (bool) {
        return caller == tx.origin && caller.code.length == 0;
    }
}
