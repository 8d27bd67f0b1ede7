// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IRewardDisputes} from "../interfaces/IRewardDisputes.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {Payouts} from "../lib/Payouts.sol";
import {RewardTrace} from "../lib/RewardTrace.sol";

/// @title Makes a proposer show what its epoch rests on.
/// @notice A wrong root could be safe behind a trace that nobody knows. So anybody may ask for any chunk, and for the leaf of
///         any account that the trace pays: who proposed the epoch shows it in time, or the epoch is rejected.
abstract contract RewardRequests is IRewardDisputes, Payouts {
    uint256 public REQUEST_FEE;
    uint64 public responseWindow;
    mapping(uint64 epoch => mapping(uint256 index => Request)) public chunkRequests;
    mapping(uint64 epoch => mapping(address account => Request)) public leafRequests;

    function _rewards() internal view virtual returns (IRewards);

    /// @inheritdoc IRewardDisputes
    function requestChunk(uint64 epoch, uint256 index) external payable {
        RewardTrace.Trace memory trace = _traceOf(_open(epoch));
        if (index >= RewardTrace.chunkCount(trace)) revert RewardTrace.NotInTrace(index);
        uint64 deadline = _ask(epoch, chunkRequests[epoch][index]);
        emit ChunkRequested(epoch, index, msg.sender, deadline);
    }

    /// @inheritdoc IRewardDisputes
    function showChunk(uint64 epoch, uint256 index, bytes calldata chunk, bytes32[] calldata proof)
        external
        nonReentrant
    {
        RewardTrace.check(_traceOf(_open(epoch)), index, chunk, proof);
        emit ChunkShown(epoch, index, chunk, proof);
        _answer(epoch, chunkRequests[epoch][index]);
    }

    /// @inheritdoc IRewardDisputes
    function requestLeaf(uint64 epoch, address account, RewardTrace.Window calldata window) external payable {
        if (RewardTrace.totalOf(_traceOf(_open(epoch)), window, account) == 0) revert NotALeaf(account, 0);
        uint64 deadline = _ask(epoch, leafRequests[epoch][account]);
        emit LeafRequested(epoch, account, msg.sender, deadline);
    }

    /// @inheritdoc IRewardDisputes
    function showLeaf(uint64 epoch, address account, uint256 cumulative, bytes32[] calldata proof)
        external
        nonReentrant
    {
        _checkLeaf(_open(epoch).root, account, cumulative, proof);
        emit LeafShown(epoch, account, cumulative);
        _answer(epoch, leafRequests[epoch][account]);
    }

    /// @inheritdoc IRewardDisputes
    function rejectUnansweredChunk(uint64 epoch, uint256 index) external nonReentrant {
        _rejectUnanswered(epoch, chunkRequests[epoch][index]);
    }

    /// @inheritdoc IRewardDisputes
    function rejectUnansweredLeaf(uint64 epoch, address account) external nonReentrant {
        _rejectUnanswered(epoch, leafRequests[epoch][account]);
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

    function _checkLeaf(bytes32 root, address account, uint256 cumulative, bytes32[] calldata proof) internal view {
        bytes32 inner = keccak256(abi.encode(account, _rewards().NATIVE_TOKEN(), cumulative));
        if (!MerkleProof.verifyCalldata(proof, root, keccak256(bytes.concat(inner)))) revert NotALeaf(account, cumulative);
    }

    /// @dev The window stays open behind the deadline, for the rejection or for what the answer brings to light.
    function _ask(uint64 epoch, Request storage request) private returns (uint64 deadline) {
        if (msg.value != REQUEST_FEE) revert WrongFee(msg.value, REQUEST_FEE);
        if (request.deadline != 0) revert AlreadyRequested(epoch, request.deadline);
        deadline = uint64(block.timestamp) + responseWindow;
        request.requester = msg.sender;
        request.deadline = deadline;
        _rewards().extendWindow(epoch, deadline + responseWindow);
    }

    /// @dev An answered request stays closed: its content is known now.
    function _answer(uint64 epoch, Request storage request) private {
        if (request.requester == address(0)) revert NotRequested(epoch);
        request.requester = address(0);
        _rewards().extendWindow(epoch, uint64(block.timestamp) + responseWindow);
        _pay(msg.sender, REQUEST_FEE);
    }

    function _rejectUnanswered(uint64 epoch, Request storage request) private {
        _open(epoch);
        address requester = request.requester;
        if (requester == address(0)) revert NotRequested(epoch);
        if (block.timestamp < request.deadline) revert StillTime(epoch, request.deadline);
        request.requester = address(0);
        _rewards().reject(epoch, requester, "silence");
        _pay(requester, REQUEST_FEE);
    }
}
