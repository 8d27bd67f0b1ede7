// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {Escrow} from "./Escrow.sol";

/// @title Inference: prepaid channels from one payer to one runner, settled by signed cumulative vouchers.
/// @notice A runner should not serve on a channel whose close was requested, and has to settle before `closableAt`: after
///         that the payer may take the rest back at any moment.
abstract contract InferenceChannels is Escrow, EIP712Upgradeable {
    /// @notice Vouchers in one settlement.
    uint256 public constant MAX_VOUCHERS = 256;

    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(uint256 channelId,uint256 cumulativeAmount)");

    /// @inheritdoc IJobs
    function openChannel(address runner) external payable onlyBonded(runner) returns (uint256 channelId) {
        if (msg.value == 0) revert ZeroAmount();
        channelId = ++channelCount;
        _channels[channelId] = Channel(msg.sender, runner, msg.value, 0, 0, false);
        _hold(msg.value);
        emit ChannelOpened(channelId, msg.sender, runner, msg.value);
    }

    /// @inheritdoc IJobs
    function topUpChannel(uint256 channelId) external payable {
        if (msg.value == 0) revert ZeroAmount();
        Channel storage target = _openOfSender(channelId);
        target.deposit += msg.value;
        _hold(msg.value);
        emit ChannelToppedUp(channelId, msg.value, target.deposit);
    }

    /// @inheritdoc IJobs
    /// @dev Asking again starts the delay anew, which only gives the runner more time.
    function requestClose(uint256 channelId) external {
        Channel storage target = _openOfSender(channelId);
        target.closableAt = uint64(block.timestamp) + CLOSE_DELAY;
        emit ChannelCloseRequested(channelId, target.closableAt);
    }

    /// @inheritdoc IJobs
    function closeChannel(uint256 channelId) external nonReentrant {
        Channel storage target = _openOfSender(channelId);
        if (target.closableAt == 0) revert CloseNotRequested(channelId);
        if (block.timestamp < target.closableAt) revert CloseTooEarly(channelId, target.closableAt);
        target.closed = true;
        uint256 rest = target.deposit - target.settled;
        emit ChannelClosed(channelId, msg.sender, rest);
        _refund(msg.sender, rest);
    }

    /// @inheritdoc IJobs
    /// @dev Redeemed first: the batch's header binds what was settled with it. The events keep the readers' order, batch first.
    function settleChannels(Voucher[] calldata vouchers, bytes[] calldata pages)
        external
        nonReentrant
        onlyTopLevel
        onlyBonded(msg.sender)
        returns (uint256 batchIndex)
    {
        if (vouchers.length == 0) revert NoVouchers();
        if (vouchers.length > MAX_VOUCHERS) revert TooManyVouchers(vouchers.length, MAX_VOUCHERS);
        IAttributionLedger.Settlement[] memory settlements = new IAttributionLedger.Settlement[](vouchers.length);
        uint256 sum = 0;
        for (uint256 i = 0; i < vouchers.length; i++) {
            settlements[i] = _redeem(vouchers[i]);
            sum += settlements[i].amount;
        }
        batchIndex = ledger.appendFor(msg.sender, pages, keccak256(abi.encode(settlements)));
        for (uint256 i = 0; i < vouchers.length; i++) {
            IAttributionLedger.Settlement memory settled = settlements[i];
            emit ChannelSettled(
                settled.sourceId,
                msg.sender,
                settled.payer,
                settled.amount,
                vouchers[i].cumulativeAmount,
                batchIndex,
                settled.splitVersion
            );
        }
        _settle(sum);
    }

    /// @inheritdoc IJobs
    function channel(uint256 channelId) external view returns (Channel memory) {
        return _knownChannel(channelId);
    }

    /// @inheritdoc IJobs
    function voucherDigest(uint256 channelId, uint256 cumulativeAmount) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, cumulativeAmount)));
    }

    function _redeem(Voucher calldata voucher) private returns (IAttributionLedger.Settlement memory) {
        uint256 channelId = voucher.channelId;
        uint256 cumulative = voucher.cumulativeAmount;
        Channel storage target = _knownChannel(channelId);
        if (target.closed) revert ChannelIsClosed(channelId);
        if (target.runner != msg.sender) revert NotChannelRunner(channelId, msg.sender);
        if (cumulative <= target.settled) revert StaleVoucher(channelId, cumulative, target.settled);
        if (cumulative > target.deposit) revert Overdraw(channelId, cumulative, target.deposit);
        _checkSignature(target.payer, voucher);
        uint256 amount = cumulative - target.settled;
        target.settled = cumulative;
        return IAttributionLedger.Settlement(SOURCE_CHANNEL, channelId, target.payer, amount, splitVersion);
    }

    /// @dev The key comes first, also where there is code: an account delegated by EIP-7702 still signs with its key.
    ///      Only then the payer's ERC-1271. BadSignature names no account (0) when nothing could be recovered.
    function _checkSignature(address payer, Voucher calldata voucher) private view {
        bytes32 digest = voucherDigest(voucher.channelId, voucher.cumulativeAmount);
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, voucher.signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == payer) return;
        if (
            payer.code.length == 0
                || !SignatureChecker.isValidERC1271SignatureNowCalldata(payer, digest, voucher.signature)
        ) revert BadSignature(voucher.channelId, recovered);
    }

    function _knownChannel(uint256 channelId) private view returns (Channel storage found) {
        found = _channels[channelId];
        if (found.payer == address(0)) revert UnknownChannel(channelId);
    }

    function _openOfSender(uint256 channelId) private view returns (Channel storage found) {
        found = _knownChannel(channelId);
        if (found.payer != msg.sender) revert NotPayer(channelId, msg.sender);
        if (found.closed) revert ChannelIsClosed(channelId);
    }
}
