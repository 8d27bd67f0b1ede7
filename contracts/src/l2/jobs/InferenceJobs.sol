// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {Escrow} from "./Escrow.sol";

/// @title Inference by the call: the most that it can cost goes into escrow for one runner and one request.
/// @notice For those who don't want a channel. The payer asks its runner over HTTP with the job's id; the runner serves at
///         once and commits with the attribution of its answer. What the answer didn't cost goes back with the commit.
abstract contract InferenceJobs is Escrow {
    /// @notice Jobs in one commit.
    uint256 public constant MAX_INFERENCE_COSTS = 256;
    uint64 public constant MIN_INFERENCE_DURATION = 60;
    uint64 public constant MAX_INFERENCE_DURATION = 7 days;

    /// @inheritdoc IJobs
    function requestInference(
        uint256 modelId,
        address runner,
        bytes32 requestHash,
        uint32 maxTokens,
        uint64 duration
    ) external payable onlyBonded(runner) returns (uint256 jobId) {
        if (!models.exists(modelId)) revert UnknownModel(modelId);
        if (msg.value == 0) revert ZeroAmount();
        if (duration < MIN_INFERENCE_DURATION || duration > MAX_INFERENCE_DURATION) {
            revert BadDuration(duration, MIN_INFERENCE_DURATION, MAX_INFERENCE_DURATION);
        }
        jobId = ++inferenceJobCount;
        InferenceJob storage created = _inferenceJobs[jobId];
        created.payer = msg.sender;
        created.status = InferenceStatus.Requested;
        created.deadline = uint64(block.timestamp) + duration;
        created.runner = runner;
        created.maxTokens = maxTokens;
        created.modelId = modelId;
        created.escrow = msg.value;
        created.requestHash = requestHash;
        _hold(msg.value);
        emit InferenceRequested(
            jobId, msg.sender, runner, modelId, msg.value, requestHash, maxTokens, created.deadline
        );
    }

    /// @inheritdoc IJobs
    /// @dev Settled first: the batch's header binds what was settled with it. The events keep the readers' order, batch first.
    function commitInference(InferenceCost[] calldata costs, bytes[] calldata pages)
        external
        nonReentrant
        onlyTopLevel
        onlyBonded(msg.sender)
        returns (uint256 batchIndex)
    {
        if (costs.length == 0) revert NoInferenceCosts();
        if (costs.length > MAX_INFERENCE_COSTS) revert TooManyInferenceCosts(costs.length, MAX_INFERENCE_COSTS);
        IAttributionLedger.Settlement[] memory settlements = new IAttributionLedger.Settlement[](costs.length);
        uint256 sum = 0;
        for (uint256 i = 0; i < costs.length; i++) {
            settlements[i] = _charge(costs[i]);
            sum += costs[i].amount;
        }
        batchIndex = ledger.appendFor(msg.sender, pages, keccak256(abi.encode(settlements)));
        for (uint256 i = 0; i < costs.length; i++) _giveBack(costs[i], batchIndex);
        if (sum > 0) _settle(sum);
    }

    /// @inheritdoc IJobs
    /// @dev A commit that comes after the deadline but before the refund still counts.
    function refundInference(uint256 jobId) external nonReentrant {
        InferenceJob storage target = _waiting(jobId);
        if (block.timestamp < target.deadline && msg.sender != target.runner) {
            revert DeadlineRunning(jobId, target.deadline);
        }
        target.status = InferenceStatus.Refunded;
        emit InferenceRefunded(jobId, target.payer, target.escrow);
        _refund(target.payer, target.escrow);
    }

    /// @inheritdoc IJobs
    function inferenceJob(uint256 jobId) external view returns (InferenceJob memory found) {
        found = _inferenceJobs[jobId];
        if (found.status == InferenceStatus.None) revert UnknownJob(jobId);
    }

    function _charge(InferenceCost calldata cost) private returns (IAttributionLedger.Settlement memory) {
        InferenceJob storage target = _waiting(cost.jobId);
        if (target.runner != msg.sender) revert NotInferenceRunner(cost.jobId, msg.sender);
        if (cost.amount > target.escrow) revert CostOverEscrow(cost.jobId, cost.amount, target.escrow);
        target.status = InferenceStatus.Settled;
        return
            IAttributionLedger.Settlement(
                SOURCE_INFERENCE_JOB, cost.jobId, target.payer, cost.amount, splitVersion
            );
    }

    function _giveBack(InferenceCost calldata cost, uint256 batchIndex) private {
        InferenceJob storage settled = _inferenceJobs[cost.jobId];
        uint256 rest = settled.escrow - cost.amount;
        emit InferenceSettled(
            cost.jobId, msg.sender, settled.payer, cost.amount, rest, batchIndex, splitVersion
        );
        _refund(settled.payer, rest);
    }

    function _waiting(uint256 jobId) private view returns (InferenceJob storage found) {
        found = _inferenceJobs[jobId];
        if (found.status == InferenceStatus.None) revert UnknownJob(jobId);
        if (found.status != InferenceStatus.Requested) revert InferenceNotWaiting(jobId, found.status);
    }
}
