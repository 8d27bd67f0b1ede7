// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IJobs} from "../interfaces/IJobs.sol";
import {Payouts} from "../lib/Payouts.sol";
import {JobsStorage} from "./JobsStorage.sol";

/// @title The money of Jobs: every wei comes in by `_hold` and leaves by `_settle` or `_refund`.
/// @notice A refund counts as refunded from the moment it is owed: pushed at once, or kept as a credit (Payouts) when the
///         payer's contract doesn't take it. So balance = held + credits, plus what was forced in.
abstract contract Escrow is JobsStorage, Payouts {
    /// @inheritdoc IJobs
    function totals() external view returns (uint256 escrowed, uint256 settled, uint256 refunded, uint256 held) {
        return (_escrowed, _settled, _refunded, _escrowed - _settled - _refunded);
    }

    function _hold(uint256 amount) internal {
        _escrowed += amount;
    }

    function _settle(uint256 amount) internal {
        _settled += amount;
        rewards.fund{value: amount}();
    }

    function _refund(address to, uint256 amount) internal {
        _refunded += amount;
        _pay(to, amount);
    }
}
