// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RewardTrace} from "../lib/RewardTrace.sol";
import {IRewardRecompute} from "./IRewardRecompute.sol";

/// @title Challenges of proposed reward roots, decided by computing.
interface IRewardDisputes {
    /// @notice What somebody waits to see of a proposed epoch.
    struct Request {
        address requester;
        uint64 deadline; // unix seconds; 0 where nothing is asked for
    }

    event ChunkRequested(uint64 indexed epoch, uint256 indexed index, address indexed requester, uint64 deadline);
    event ChunkShown(uint64 indexed epoch, uint256 indexed index, bytes chunk, bytes32[] proof);
    event LeafRequested(uint64 indexed epoch, address indexed account, address indexed requester, uint64 deadline);
    event LeafShown(uint64 indexed epoch, address indexed account, uint256 cumulative);

    error WrongFee(uint256 given, uint256 required);
    error NotProposed(uint64 epoch);
    error WindowOver(uint64 epoch, uint64 disputableUntil);
    error AlreadyRequested(uint64 epoch, uint64 deadline);
    error NotRequested(uint64 epoch);
    error StillTime(uint64 epoch, uint64 deadline);
    error NotWrong(uint64 epoch);
    error WrongBatch(uint256 given, uint256 required);
    error NotALeaf(address account, uint256 cumulative);

    /// @notice Paid by who asks for a chunk or a leaf, to who shows it: the gas of an answer, and the price of a delay.
    function REQUEST_FEE() external view returns (uint256);
    /// @notice Seconds to answer in; asking and answering hold the window open for as long again.
    function responseWindow() external view returns (uint64);

    /// @notice A chunk whose records don't ascend, or that contradicts the epoch's total.
    function challengeChunk(uint64 epoch, uint256 index, bytes calldata chunk, bytes32[] calldata proof) external;
    /// @notice Two chunks in a row of which the second doesn't carry on where the first ends.
    function challengeSeam(uint64 epoch, RewardTrace.Window calldata window) external;
    /// @notice A leaf of the root that differs from the account's total in the trace.
    function challengeLeaf(
        uint64 epoch,
        address account,
        uint256 cumulative,
        bytes32[] calldata proof,
        RewardTrace.Window calldata window
    ) external;
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

    /// @notice Asks for the bytes of a chunk that was not published.
    function requestChunk(uint64 epoch, uint256 index) external payable;
    function showChunk(uint64 epoch, uint256 index, bytes calldata chunk, bytes32[] calldata proof) external;
    /// @notice Asks to see that the root has a leaf for an account of the trace.
    function requestLeaf(uint64 epoch, address account, RewardTrace.Window calldata window) external payable;
    function showLeaf(uint64 epoch, address account, uint256 cumulative, bytes32[] calldata proof) external;
    /// @notice Nobody has answered in time: the epoch is rejected.
    function rejectUnansweredChunk(uint64 epoch, uint256 index) external;
    function rejectUnansweredLeaf(uint64 epoch, address account) external;
}
