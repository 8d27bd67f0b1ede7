// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModels} from "./IModels.sol";

/// @title Training jobs and inference channels: escrow, lease, exactly-once commit, settlement, refund.
/// @notice Invariant, to the wei: escrowed = settled + refunded + held.
interface IJobs {
    enum Status {
        None,
        Requested,
        Claimed,
        Committed,
        Refunded
    }

    struct Job {
        address requester;
        Status status;
        uint8 attempt; // counts claims, from 1
        uint64 requestedAt;
        uint64 leaseUntil; // unix seconds; 0 while not claimed
        uint64 deadline; // unix seconds; after it anyone may refund an unfinished job
        address runner;
        uint32 datanetVersion;
        uint256 modelId; // the parent to train on
        uint256 datanetId;
        uint256 fee; // wei of OPEN
        bytes32 paramsHash; // keccak256 of the parameters (JSON, emitted with the request)
        bytes32 resultHash; // weightsHash once committed
    }

    /// @notice A committed training result. The evaluations must hold one of suite "domain" and one of suite "general".
    struct TrainingResult {
        bytes32 weightsHash;
        bytes32 configHash;
        string name;
        IModels.Evaluation[] evaluations;
    }

    struct Channel {
        address payer;
        address runner;
        uint256 deposit; // wei, total ever put in
        uint256 settled; // wei, cumulative amount already paid out
        uint64 closableAt; // unix seconds; 0 while no close was requested
        bool closed;
    }

    /// @notice EIP-712 type Voucher(uint256 channelId,uint256 cumulativeAmount), signed by the channel's payer.
    struct Voucher {
        uint256 channelId;
        uint256 cumulativeAmount; // wei, never falls
        bytes signature;
    }

    /// @notice Basis points; they sum to 10,000. Recorded by version with each settlement.
    struct Split {
        uint16 owner;
        uint16 runner;
        uint16 contributors;
        uint16 stakers;
        uint16 platform;
    }

    event SplitSet(
        uint32 indexed version, uint16 owner, uint16 runner, uint16 contributors, uint16 stakers, uint16 platform
    );
    event JobRequested(
        uint256 indexed jobId,
        address indexed requester,
        uint256 indexed modelId,
        uint256 datanetId,
        uint32 datanetVersion,
        uint256 fee,
        uint64 deadline,
        string params
    );
    event JobClaimed(uint256 indexed jobId, address indexed runner, uint8 attempt, uint64 leaseUntil);
    event LeaseRenewed(uint256 indexed jobId, address indexed runner, uint8 attempt, uint64 leaseUntil);
    event JobFailed(uint256 indexed jobId, address indexed runner, uint8 attempt, string reason);
    event JobCommitted(
        uint256 indexed jobId, address indexed runner, uint256 indexed modelId, uint8 attempt, bytes32 resultHash
    );
    event JobRefunded(uint256 indexed jobId, address indexed requester, uint256 amount);
    /// @param modelId the parent that was trained on, as in JobRequested and in the batch; JobCommitted names the adapter
    /// @param batchIndex the attribution batch that came with the commit
    event JobSettled(
        uint256 indexed jobId,
        address indexed runner,
        uint256 indexed modelId,
        uint256 amount,
        uint256 batchIndex,
        uint32 splitVersion
    );
    event ChannelOpened(uint256 indexed channelId, address indexed payer, address indexed runner, uint256 deposit);
    event ChannelToppedUp(uint256 indexed channelId, uint256 amount, uint256 deposit);
    event ChannelCloseRequested(uint256 indexed channelId, uint64 closableAt);
    /// @param amount the part that this settlement adds; cumulative is the voucher's total
    event ChannelSettled(
        uint256 indexed channelId,
        address indexed runner,
        address indexed payer,
        uint256 amount,
        uint256 cumulative,
        uint256 batchIndex,
        uint32 splitVersion
    );
    event ChannelClosed(uint256 indexed channelId, address indexed payer, uint256 refund);

    error UnknownJob(uint256 jobId);
    error UnknownModel(uint256 modelId);
    error UnknownDatanetVersion(uint256 datanetId, uint32 version);
    error FeeTooLow(uint256 fee, uint256 min);
    error BadDuration(uint64 duration, uint64 min, uint64 max);
    error TextTooLong(uint256 length, uint256 max);
    error NotBondedRunner(address caller);
    error NotTopLevel(address caller);
    error WrongStatus(uint256 jobId, Status status);
    error NotLeaseHolder(uint256 jobId, address caller);
    error WrongAttempt(uint256 jobId, uint8 given, uint8 current);
    error LeaseExpired(uint256 jobId, uint64 leaseUntil);
    error LeaseRunning(uint256 jobId, uint64 leaseUntil);
    error DeadlineRunning(uint256 jobId, uint64 deadline);
    error NotRequester(uint256 jobId, address caller);
    error MissingEvaluation(bytes32 suite);
    error UnknownChannel(uint256 channelId);
    error NotPayer(uint256 channelId, address caller);
    error NotChannelRunner(uint256 channelId, address caller);
    error ChannelIsClosed(uint256 channelId);
    error CloseNotRequested(uint256 channelId);
    error CloseTooEarly(uint256 channelId, uint64 closableAt);
    error BadSignature(uint256 channelId, address recovered);
    error StaleVoucher(uint256 channelId, uint256 cumulative, uint256 settled);
    error Overdraw(uint256 channelId, uint256 cumulative, uint256 deposit);
    error NoVouchers();
    error TooManyVouchers(uint256 count, uint256 max);
    error BadSplit(uint256 sum);
    error ZeroAmount();

    function LEASE_SECONDS() external view returns (uint64);
    function MAX_ATTEMPTS() external view returns (uint8);
    function CLOSE_DELAY() external view returns (uint64);

    /// @param params UTF-8 JSON, at most 4,096 bytes; the runner validates the values and fails the job with a reason.
    /// @param duration seconds until the requester can take the fee back
    function requestTraining(
        uint256 modelId,
        uint256 datanetId,
        uint32 datanetVersion,
        uint64 duration,
        string calldata params
    ) external payable returns (uint256 jobId);

    /// @notice A bonded runner takes the job, or takes it over when the lease has run out.
    function claimJob(uint256 jobId) external returns (uint8 attempt, uint64 leaseUntil);
    function renewLease(uint256 jobId, uint8 attempt) external returns (uint64 leaseUntil);

    /// @notice The lease holder gives up. Refunds when `permanent` (the parameters are impossible) or when the attempts are
    ///         used up; otherwise the job can be claimed again.
    function failJob(uint256 jobId, uint8 attempt, bool permanent, string calldata reason) external;

    /// @notice Registers the adapter, records its evaluations, appends the attribution batch and settles, in one
    ///         transaction. Must be a top-level call (tx.origin == msg.sender), because the batch is read from calldata.
    function commitTraining(
        uint256 jobId,
        uint8 attempt,
        TrainingResult calldata result,
        bytes[] calldata pages
    ) external returns (uint256 modelId);

    /// @notice The requester takes an unclaimed job (or one whose lease has run out) back at once; anyone refunds one
    ///         whose deadline has passed.
    function refundJob(uint256 jobId) external;

    function openChannel(address runner) external payable returns (uint256 channelId);
    function topUpChannel(uint256 channelId) external payable;
    /// @notice The payer asks to close; the runner has CLOSE_DELAY to settle its last voucher.
    function requestClose(uint256 channelId) external;
    function closeChannel(uint256 channelId) external;

    /// @notice Settles cumulative vouchers together with the outputs and attributions they paid for. Top-level call only.
    function settleChannels(Voucher[] calldata vouchers, bytes[] calldata pages)
        external
        returns (uint256 batchIndex);

    function setSplit(Split calldata split) external returns (uint32 version);

    function job(uint256 jobId) external view returns (Job memory);
    function channel(uint256 channelId) external view returns (Channel memory);
    function split(uint32 version) external view returns (Split memory);
    function splitVersion() external view returns (uint32);
    function voucherDigest(uint256 channelId, uint256 cumulativeAmount) external view returns (bytes32);
    function totals() external view returns (uint256 escrowed, uint256 settled, uint256 refunded, uint256 held);
}
