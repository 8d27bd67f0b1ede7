// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRewardDisputes} from "../interfaces/IRewardDisputes.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {Payouts} from "../lib/Payouts.sol";
import {RewardNodes} from "../lib/RewardNodes.sol";
import {RewardTrace} from "../lib/RewardTrace.sol";

/// @title Makes a proposer show what its epoch rests on.
/// @notice A wrong root could be safe behind a trace that nobody knows. So anybody may ask for any chunk of what the epoch
///         commits to: who proposed it (or anybody else) shows it in time, or the epoch is rejected. The siblings that come
///         with a chunk tell which half of the rest differs from what it should be.
abstract contract RewardRequests is IRewardDisputes, Payouts {
    uint256 public REQUEST_FEE;
    uint64 public responseWindow;
    mapping(uint64 epoch => mapping(Part part => mapping(uint256 index => Request))) private _requests;

    function _rewards() internal view virtual returns (IRewards);

    /// @inheritdoc IRewardDisputes
    /// @dev The window stays open behind the deadline, for the rejection or for what the answer brings to light.
    function requestChunk(uint64 epoch, Part part, uint256 index) external payable {
        if (msg.value != REQUEST_FEE) revert WrongFee(msg.value, REQUEST_FEE);
        IRewards.Epoch memory info = _open(epoch);
        uint256 count = part == Part.Trace
            ? RewardTrace.chunkCount(_traceOf(info))
            : RewardNodes.chunkCount(_nodesOf(info));
        if (index >= count) revert NoChunk(index, count);
        Request storage request = _requests[epoch][part][index];
        if (request.deadline != 0) revert AlreadyRequested(epoch, request.deadline);
        uint64 deadline = uint64(block.timestamp) + responseWindow;
        request.requester = msg.sender;
        request.deadline = deadline;
        emit ChunkRequested(epoch, part, index, msg.sender, deadline);
        _rewards().extendWindow(epoch, deadline + responseWindow);
    }

    /// @inheritdoc IRewardDisputes
    function showChunk(uint64 epoch, Part part, uint256 index, bytes calldata chunk, bytes32[] calldata proof)
        external
        nonReentrant
    {
        IRewards.Epoch memory info = _open(epoch);
        if (part == Part.Trace) RewardTrace.check(_traceOf(info), index, chunk, proof);
        else RewardNodes.check(_nodesOf(info), index, chunk, proof);
        Request storage request = _requests[epoch][part][index];
        if (request.requester == address(0)) revert NotRequested(epoch);
        request.requester = address(0);
        emit ChunkShown(epoch, part, index, chunk, proof);
        _rewards().extendWindow(epoch, uint64(block.timestamp) + responseWindow);
        _pay(msg.sender, REQUEST_FEE);
    }

    /// @inheritdoc IRewardDisputes
    function rejectUnanswered(uint64 epoch, Part part, uint256 index) external nonReentrant {
        _open(epoch);
        Request storage request = _requests[epoch][part][index];
        address requester = request.requester;
        if (requester == address(0)) revert NotRequested(epoch);
        if (block.timestamp < request.deadline) revert StillTime(epoch, request.deadline);
        request.requester = address(0);
        _rewards().reject(epoch, requester, "silence");
        _pay(requester, REQUEST_FEE);
    }

    /// @inheritdoc IRewardDisputes
    function requestOf(uint64 epoch, Part part, uint256 index) external view returns (Request memory) {
        return _requests[epoch][part][index];
    }

    /// @dev The epoch, which can still be challenged.
    function _open(uint64 epoch) internal view returns (IRewards.Epoch memory info) {
        info = _rewards().epochInfo(epoch);
        if (info.status != IRewards.RootStatus.Proposed) revert NotProposed(epoch);
        if (block.timestamp >= info.disputableUntil) revert WindowOver(epoch, info.disputableUntil);
    }

    function _traceOf(IRewards.Epoch memory info) internal pure returns (RewardTrace.Trace memory) {
        return RewardTrace.Trace(info.traceRoot, info.records);
    }

    function _nodesOf(IRewards.Epoch memory info) internal pure returns (RewardNodes.Nodes memory) {
        return RewardNodes.Nodes(info.treeRoot, info.accounts);
    }
}
