// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RewardNodes} from "../lib/RewardNodes.sol";
import {RewardTrace} from "../lib/RewardTrace.sol";
import {IRewardRecompute} from "./IRewardRecompute.sol";

/// @title Challenges of proposed reward roots, decided by computing.
interface IRewardDisputes {
    /// @notice What an epoch commits to chunk by chunk.
    enum Part {
        Trace,
        Nodes
    }

    /// @notice What somebody waits to see of a proposed epoch.
    struct Request {
        address requester; // 0 once it was shown
        uint64 deadline; // unix seconds; 0 where nothing was asked for
    }

    event ChunkRequested(
        uint64 indexed epoch, Part indexed part, uint256 indexed index, address requester, uint64 deadline
    );
    event ChunkShown(uint64 indexed epoch, Part indexed part, uint256 indexed index, bytes chunk, bytes32[] proof);

    error WrongFee(uint256 given, uint256 required);
    error NotProposed(uint64 epoch);
    error WindowOver(uint64 epoch, uint64 disputableUntil);
    error AlreadyRequested(uint64 epoch, uint64 deadline);
    error NotRequested(uint64 epoch);
    error NoChunk(uint256 index, uint256 count);
    error StillTime(uint64 epoch, uint64 deadline);
    error NotWrong(uint64 epoch);
    error NotInTrace(address account);
    error WrongBatch(uint256 given, uint256 required);

    /// @notice Paid by who asks for a chunk, to who shows it: the gas of an answer, and the price of a delay.
    function REQUEST_FEE() external view returns (uint256);
    /// @notice Seconds to answer in; asking and answering hold the window open for as long again.
    function responseWindow() external view returns (uint64);

    /// @notice A chunk of the trace whose records don't ascend, or that contradicts the epoch's total or count of accounts.
    function challengeChunk(uint64 epoch, uint256 index, bytes calldata chunk, bytes32[] calldata proof) external;
    /// @notice Two chunks in a row of which the second doesn't carry on where the first ends.
    function challengeSeam(uint64 epoch, RewardTrace.Window calldata window) external;
    /// @notice What the account brings along isn't what the epoch before left it.
    /// @param previous the account's end in the trace of the epoch before; ignored when there is none
    function challengeCarry(
        uint64 epoch,
        address account,
        RewardTrace.Window calldata window,
        RewardTrace.Window calldata previous
    ) external;
    /// @notice A record that states another amount than what the account is due of that receipt: too much, too little,
    ///         nothing where something is due, or something of a batch that doesn't belong to the epoch.
    /// @param receipt as in the trace; that of what an account brings along (0) is challengeCarry's
    function challengeReceipt(
        uint64 epoch,
        address account,
        uint96 receipt,
        RewardTrace.Window calldata window,
        IRewardRecompute.Evidence calldata evidence
    ) external;

    /// @notice The first node isn't the root.
    function challengeRoot(uint64 epoch, RewardNodes.Chunk calldata chunk) external;
    /// @notice A node that isn't the hash of its children.
    function challengeNode(uint64 epoch, uint256 node, RewardNodes.Chunk[3] calldata chunks) external;
    /// @notice Two leaves in a row of which the first isn't above the second.
    function challengeOrder(uint64 epoch, uint256 node, RewardNodes.Chunk[2] calldata chunks) external;
    /// @notice An account of the trace whose total has no leaf.
    /// @param place of the node before which its leaf would stand
    function challengeMissing(
        uint64 epoch,
        address account,
        RewardTrace.Window calldata window,
        uint256 place,
        RewardNodes.Chunk[2] calldata chunks
    ) external;

    /// @notice Asks for the bytes of a chunk that was not published.
    function requestChunk(uint64 epoch, Part part, uint256 index) external payable;
    function showChunk(uint64 epoch, Part part, uint256 index, bytes calldata chunk, bytes32[] calldata proof) external;
    /// @notice Nobody has answered in time: the epoch is rejected.
    function rejectUnanswered(uint64 epoch, Part part, uint256 index) external;
    function requestOf(uint64 epoch, Part part, uint256 index) external view returns (Request memory);
}
