// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev The part of the L2ToL1MessagePasser predeploy that sends the coin to L1.
interface IMessagePasser {
    function initiateWithdrawal(address target, uint256 gasLimit, bytes calldata data) external payable;
}

/// @title Where operator fees collect: the OP Stack predeploy 0x420000000000000000000000000000000000001B.
/// @notice Anybody may withdraw, always everything and only to the recipient. The names in capitals are those of the
///         older vaults, for tools that know no others.
contract OperatorFeeVault {
    enum WithdrawalNetwork {
        L1,
        L2
    }

    IMessagePasser private constant MESSAGE_PASSER = IMessagePasser(0x4200000000000000000000000000000000000016);
    uint256 private constant WITHDRAWAL_MIN_GAS = 400_000;

    address public immutable RECIPIENT;
    uint256 public immutable MIN_WITHDRAWAL_AMOUNT;
    WithdrawalNetwork public immutable WITHDRAWAL_NETWORK;

    /// @notice Wei withdrawn so far.
    uint256 public totalProcessed;

    event Withdrawal(uint256 value, address to, address from);
    event Withdrawal(uint256 value, address to, address from, WithdrawalNetwork withdrawalNetwork);

    error BelowMinimum(uint256 balance, uint256 minimum);
    error TransferFailed();

    constructor(address recipient_, uint256 minWithdrawalAmount_, WithdrawalNetwork withdrawalNetwork_) {
        RECIPIENT = recipient_;
        MIN_WITHDRAWAL_AMOUNT = minWithdrawalAmount_;
        WITHDRAWAL_NETWORK = withdrawalNetwork_;
    }

    receive() external payable {}

    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        if (value < MIN_WITHDRAWAL_AMOUNT) revert BelowMinimum(value, MIN_WITHDRAWAL_AMOUNT);
        totalProcessed += value;
        emit Withdrawal(value, RECIPIENT, msg.sender);
        emit Withdrawal(value, RECIPIENT, msg.sender, WITHDRAWAL_NETWORK);
        if (WITHDRAWAL_NETWORK == WithdrawalNetwork.L2) {
            (bool sent,) = RECIPIENT.call{value: value}("");
            if (!sent) revert TransferFailed();
        } else {
            MESSAGE_PASSER.initiateWithdrawal{value: value}(RECIPIENT, WITHDRAWAL_MIN_GAS, "");
        }
    }

    function recipient() external view returns (address) {
        return RECIPIENT;
    }

    function minWithdrawalAmount() external view returns (uint256) {
        return MIN_WITHDRAWAL_AMOUNT;
    }

    function withdrawalNetwork() external view returns (WithdrawalNetwork) {
        return WITHDRAWAL_NETWORK;
    }

    function version() external pure returns (string memory) {
        return "1.1.0+openledger";
    }
}
