// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Pays at once, or keeps the money as a credit when the receiver doesn't take it.
/// @notice For payments inside somebody else's transaction (a refund while a runner fails a job, a bond while an epoch
///         is finalized): a receiver that reverts, or burns its gas, must not be able to stop the sender of that
///         transaction. What could not be pushed is pulled later with `withdrawCredit`, to any address.
/// @dev The guard lives in transient storage, so it needs no initializer behind a proxy. Every function that reaches
///      `_pay` must be `nonReentrant` and have written its state before.
abstract contract Payouts is ReentrancyGuardTransient {
    /// @dev Enough for a proxied wallet's receive hook; little enough that a hostile one can't drain the caller.
    uint256 private constant PUSH_GAS = 50_000;

    mapping(address account => uint256 wei_) private _credits;

    event Credited(address indexed account, uint256 amount);
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amount);

    error NoCredit(address account);
    error CreditTransferFailed(address to, uint256 amount);

    /// @notice Sends all of the caller's credit to `to`.
    function withdrawCredit(address to) external nonReentrant returns (uint256 amount) {
        amount = _credits[msg.sender];
        if (amount == 0) revert NoCredit(msg.sender);
        delete _credits[msg.sender];
        emit CreditWithdrawn(msg.sender, to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert CreditTransferFailed(to, amount);
    }

    /// @notice Wei that could not be pushed to `account` and wait for it here.
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    function _pay(address to, uint256 amount) internal {
        if (amount == 0) return;
        (bool sent,) = to.call{value: amount, gas: PUSH_GAS}("");
        if (sent) return;
        _credits[to] += amount;
        emit Credited(to, amount);
    }
}
