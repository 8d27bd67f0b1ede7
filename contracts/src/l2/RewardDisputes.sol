// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IRewardDisputes} from "./interfaces/IRewardDisputes.sol";
import {IRewardRecompute} from "./interfaces/IRewardRecompute.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {RewardNodes} from "./lib/RewardNodes.sol";
import {RewardTrace} from "./lib/RewardTrace.sol";
import {RewardRequests} from "./rewards/RewardRequests.sol";

/// @title Challenges of proposed reward roots, decided by computing.
/// @notice A challenge points at one place of the epoch's trace and brings along what the chain committed to. The contract
///         computes what should stand there; if it differs, the epoch is rejected and the challenger gets half of the bond.
///         A challenge that is not right reverts. Nobody's word decides, and nobody governs this contract.
contract RewardDisputes is IRewardDisputes, Initializable, RewardRequests {
    IRewards public rewards;
    IAttributionLedger public ledger;
    IRewardRecompute public recompute;

    constructor() {
        _disableInitializers();
    }

    function initialize(
        IRewards rewards_,
        IAttributionLedger ledger_,
        IRewardRecompute recompute_,
        uint256 requestFee,
        uint64 responseWindow_
    ) external initializer {
        rewards = rewards_;
        ledger = ledger_;
        recompute = recompute_;
        REQUEST_FEE = requestFee;
        responseWindow = responseWindow_;
    }

    /// @inheritdoc IRewardDisputes
    function challengeChunk(uint64 epoch, uint256 index, bytes calldata chunk, bytes32[] calldata proof)
        external
        nonReentrant
    {
        IRewards.Epoch memory info = _open(epoch);
        RewardTrace.Trace memory trace = _traceOf(info);
        RewardTrace.check(trace, index, chunk, proof);
        _rejectIf(RewardTrace.chunkIsWrong(trace, index, chunk, info.total, info.accounts), epoch, "chunk");
    }

    /// @inheritdoc IRewardDisputes
    function challengeSeam(uint64 epoch, RewardTrace.Window calldata window) external nonReentrant {
        RewardTrace.Trace memory trace = _traceOf(_open(epoch));
        RewardTrace.check(trace, window.index, window.chunk, window.proof);
        RewardTrace.check(trace, window.index + 1, window.next, window.nextProof);
        _rejectIf(RewardTrace.seamIsWrong(window.chunk, window.next), epoch, "seam");
    }

    /// @inheritdoc IRewardDisputes
    function challengeCarry(
        uint64 epoch,
        address account,
        RewardTrace.Window calldata window,
        RewardTrace.Window calldata previous
    ) external nonReentrant {
        IRewards.Epoch memory info = _open(epoch);
        uint256 stated = RewardTrace.amountAt(_traceOf(info), window, RewardTrace.keyOf(account, 0));
        RewardTrace.Trace memory before = _traceOf(rewards.epochInfo(info.prevEpoch));
        _rejectIf(RewardTrace.totalOf(before, previous, account) != stated, epoch, "carry");
    }

    /// @inheritdoc IRewardDisputes
    function challengeReceipt(
        uint64 epoch,
        address account,
        uint96 receipt,
        RewardTrace.Window calldata window,
        IRewardRecompute.Evidence calldata evidence
    ) external nonReentrant {
        IRewards.Epoch memory info = _open(epoch);
        uint256 stated = RewardTrace.amountAt(_traceOf(info), window, RewardTrace.keyOf(account, receipt));
        _rejectIf(_dueIn(info, account, receipt, evidence) != stated, epoch, "receipt");
    }

    /// @inheritdoc IRewardDisputes
    function challengeRoot(uint64 epoch, RewardNodes.Chunk calldata chunk) external nonReentrant {
        IRewards.Epoch memory info = _open(epoch);
        _rejectIf(RewardNodes.word(_nodesOf(info), 0, chunk) != info.root, epoch, "node");
    }

    /// @inheritdoc IRewardDisputes
    function challengeNode(uint64 epoch, uint256 node, RewardNodes.Chunk[3] calldata chunks) external nonReentrant {
        _rejectIf(RewardNodes.nodeIsWrong(_nodesOf(_open(epoch)), node, chunks), epoch, "node");
    }

    /// @inheritdoc IRewardDisputes
    function challengeOrder(uint64 epoch, uint256 node, RewardNodes.Chunk[2] calldata chunks) external nonReentrant {
        _rejectIf(RewardNodes.orderIsWrong(_nodesOf(_open(epoch)), node, chunks), epoch, "order");
    }

    /// @inheritdoc IRewardDisputes
    function challengeMissing(
        uint64 epoch,
        address account,
        RewardTrace.Window calldata window,
        uint256 place,
        RewardNodes.Chunk[2] calldata chunks
    ) external nonReentrant {
        IRewards.Epoch memory info = _open(epoch);
        uint256 total = RewardTrace.totalOf(_traceOf(info), window, account);
        if (total == 0) revert NotInTrace(account);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, rewards.NATIVE_TOKEN(), total))));
        _rejectIf(RewardNodes.isMissing(_nodesOf(info), leaf, place, chunks), epoch, "missing");
    }

    /// @dev Receipts of batches that the epoch doesn't cover pay nothing in it. Receipt 0 is challengeCarry's.
    function _dueIn(IRewards.Epoch memory info, address account, uint96 receipt, IRewardRecompute.Evidence calldata evidence)
        private
        returns (uint256)
    {
        if (receipt == 0) revert RewardTrace.NotShown(receipt);
        uint256 batch = receipt >> 48;
        if (batch == 0 || batch > ledger.batchCount()) return 0;
        if (evidence.batch.batchIndex != batch - 1) revert WrongBatch(evidence.batch.batchIndex, batch - 1);
        ledger.checkHeader(batch - 1, evidence.batch.header);
        uint256 settledAt = evidence.batch.header.blockNumber;
        if (settledAt <= info.fromBlock || settledAt > info.toBlock) return 0;
        return recompute.due(account, receipt, evidence);
    }

    function _rejectIf(bool wrong, uint64 epoch, string memory reason) private {
        if (!wrong) revert NotWrong(epoch);
        rewards.reject(epoch, msg.sender, reason);
    }

    function _rewards() internal view override returns (IRewards) {
        return rewards;
    }
}
