// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {IModels} from "../interfaces/IModels.sol";
import {Text} from "../lib/Text.sol";
import {Escrow} from "./Escrow.sol";

/// @title Training: a fee in escrow, leases, one commit.
/// @notice A lease that has run out is nobody's: the runner can't renew, fail or commit any more, another one (or the same
///         one again) may claim, and the requester may take the fee back. After the deadline anyone may refund, a running
///         lease or not; a commit that comes first still counts.
abstract contract TrainingJobs is Escrow {
    uint64 public constant LEASE_SECONDS = 300;
    uint8 public constant MAX_ATTEMPTS = 3;
    /// @notice One wei for each basis point of the split.
    uint256 public constant MIN_FEE = 10_000;
    /// @notice A job lives at least as long as one lease.
    uint64 public constant MIN_DURATION = LEASE_SECONDS;
    uint64 public constant MAX_DURATION = 30 days;

    bytes32 private constant DOMAIN = "domain";
    bytes32 private constant GENERAL = "general";

    /// @inheritdoc IJobs
    function requestTraining(
        uint256 modelId,
        uint256 datanetId,
        uint32 datanetVersion,
        uint64 duration,
        string calldata params
    ) external payable returns (uint256 jobId) {
        if (!models.exists(modelId)) revert UnknownModel(modelId);
        if (datanets.versionOf(datanetId, datanetVersion).publishedAt == 0) {
            revert UnknownDatanetVersion(datanetId, datanetVersion);
        }
        if (msg.value < MIN_FEE) revert FeeTooLow(msg.value, MIN_FEE);
        if (duration < MIN_DURATION || duration > MAX_DURATION) {
            revert BadDuration(duration, MIN_DURATION, MAX_DURATION);
        }
        _checkLength(params, Text.MAX_PARAMS);

        jobId = ++jobCount;
        Job storage created = _jobs[jobId];
        created.requester = msg.sender;
        created.status = Status.Requested;
        created.requestedAt = uint64(block.timestamp);
        created.deadline = uint64(block.timestamp) + duration;
        created.datanetVersion = datanetVersion;
        created.modelId = modelId;
        created.datanetId = datanetId;
        created.fee = msg.value;
        created.paramsHash = keccak256(bytes(params));
        _hold(msg.value);
        emit JobRequested(
            jobId, msg.sender, modelId, datanetId, datanetVersion, msg.value, created.deadline, params
        );
    }

    /// @inheritdoc IJobs
    /// @dev WrongAttempt when the attempts are used up: then only a refund is left.
    function claimJob(uint256 jobId) external onlyBonded(msg.sender) returns (uint8 attempt, uint64 leaseUntil) {
        Job storage target = _unfinished(jobId);
        if (_leaseRuns(target)) revert LeaseRunning(jobId, target.leaseUntil);
        attempt = target.attempt + 1;
        if (attempt > MAX_ATTEMPTS) revert WrongAttempt(jobId, attempt, target.attempt);
        leaseUntil = uint64(block.timestamp) + LEASE_SECONDS;
        target.status = Status.Claimed;
        target.attempt = attempt;
        target.leaseUntil = leaseUntil;
        target.runner = msg.sender;
        emit JobClaimed(jobId, msg.sender, attempt, leaseUntil);
    }

    /// @inheritdoc IJobs
    function renewLease(uint256 jobId, uint8 attempt) external onlyBonded(msg.sender) returns (uint64 leaseUntil) {
        Job storage target = _leasedBySender(jobId, attempt);
        leaseUntil = uint64(block.timestamp) + LEASE_SECONDS;
        target.leaseUntil = leaseUntil;
        emit LeaseRenewed(jobId, msg.sender, attempt, leaseUntil);
    }

    /// @inheritdoc IJobs
    function failJob(uint256 jobId, uint8 attempt, bool permanent, string calldata reason) external nonReentrant {
        Job storage target = _leasedBySender(jobId, attempt);
        _checkLength(reason, Text.MAX_DESCRIPTION);
        target.status = Status.Requested;
        target.leaseUntil = 0;
        target.runner = address(0);
        emit JobFailed(jobId, msg.sender, attempt, reason);
        if (permanent || attempt == MAX_ATTEMPTS) _refundJob(jobId, target);
    }

    /// @inheritdoc IJobs
    function commitTraining(
        uint256 jobId,
        uint8 attempt,
        TrainingResult calldata result,
        bytes[] calldata pages
    ) external nonReentrant onlyTopLevel onlyBonded(msg.sender) returns (uint256 modelId) {
        Job storage target = _leasedBySender(jobId, attempt);
        _checkEvaluated(result.evaluations);
        target.status = Status.Committed;
        target.leaseUntil = 0;
        target.resultHash = result.weightsHash;

        modelId = _register(jobId, target, result);
        emit JobCommitted(jobId, msg.sender, modelId, attempt, result.weightsHash);
        IAttributionLedger.Settlement[] memory settlements = new IAttributionLedger.Settlement[](1);
        settlements[0] = IAttributionLedger.Settlement(
            SOURCE_TRAINING_JOB, jobId, target.requester, target.fee, splitVersion
        );
        uint256 batchIndex = ledger.appendFor(msg.sender, pages, keccak256(abi.encode(settlements)));
        emit JobSettled(jobId, msg.sender, target.modelId, target.fee, batchIndex, splitVersion);
        _settle(target.fee);
    }

    /// @inheritdoc IJobs
    function refundJob(uint256 jobId) external nonReentrant {
        Job storage target = _unfinished(jobId);
        if (block.timestamp < target.deadline) {
            if (msg.sender != target.requester) revert NotRequester(jobId, msg.sender);
            if (_leaseRuns(target)) revert DeadlineRunning(jobId, target.deadline);
        }
        _refundJob(jobId, target);
    }

    /// @inheritdoc IJobs
    function job(uint256 jobId) external view returns (Job memory) {
        return _knownJob(jobId);
    }

    function _register(uint256 jobId, Job storage target, TrainingResult calldata result)
        private
        returns (uint256 modelId)
    {
        modelId = models.registerAdapter(
            IModels.AdapterSpec({
                parentId: target.modelId,
                jobId: jobId,
                datanetId: target.datanetId,
                datanetVersion: target.datanetVersion,
                owner: target.requester,
                weightsHash: result.weightsHash,
                configHash: result.configHash,
                name: result.name
            })
        );
        for (uint256 i = 0; i < result.evaluations.length; i++) {
            models.recordEvaluation(modelId, msg.sender, result.evaluations[i]);
        }
    }

    function _refundJob(uint256 jobId, Job storage target) private {
        target.status = Status.Refunded;
        target.leaseUntil = 0;
        emit JobRefunded(jobId, target.requester, target.fee);
        _refund(target.requester, target.fee);
    }

    function _knownJob(uint256 jobId) private view returns (Job storage found) {
        found = _jobs[jobId];
        if (found.status == Status.None) revert UnknownJob(jobId);
    }

    function _unfinished(uint256 jobId) private view returns (Job storage found) {
        found = _knownJob(jobId);
        if (found.status != Status.Requested && found.status != Status.Claimed) {
            revert WrongStatus(jobId, found.status);
        }
    }

    function _leasedBySender(uint256 jobId, uint8 attempt) private view returns (Job storage found) {
        found = _knownJob(jobId);
        if (found.status != Status.Claimed) revert WrongStatus(jobId, found.status);
        if (found.runner != msg.sender) revert NotLeaseHolder(jobId, msg.sender);
        if (found.attempt != attempt) revert WrongAttempt(jobId, attempt, found.attempt);
        if (!_leaseRuns(found)) revert LeaseExpired(jobId, found.leaseUntil);
    }

    function _leaseRuns(Job storage target) private view returns (bool) {
        return block.timestamp < target.leaseUntil;
    }

    function _checkEvaluated(IModels.Evaluation[] calldata evaluations) private pure {
        bool domain = false;
        bool general = false;
        for (uint256 i = 0; i < evaluations.length; i++) {
            if (evaluations[i].suite == DOMAIN) domain = true;
            if (evaluations[i].suite == GENERAL) general = true;
        }
        if (!domain) revert MissingEvaluation(DOMAIN);
        if (!general) revert MissingEvaluation(GENERAL);
    }

    function _checkLength(string calldata text, uint256 max) private pure {
        if (bytes(text).length > max) revert TextTooLong(bytes(text).length, max);
    }
}
