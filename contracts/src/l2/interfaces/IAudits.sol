// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAttributionLedger} from "./IAttributionLedger.sol";

/// @title Sampled re-execution: outputs that are drawn by chance are computed again by other runners.
/// @notice The rules are docs/spec/audits.md. An audit's key is its outputId; an output is audited once.
interface IAudits {
    enum Status {
        None,
        Open,
        Contested,
        Matched,
        Faulted,
        Dismissed,
        Undecided
    }

    /// @notice What computing again came to. Differs and Unavailable find the audited runner at fault.
    enum Finding {
        None,
        Matches,
        Differs,
        Unavailable
    }

    struct Settings {
        uint16 inferenceRateBps; // share of the outputs that is drawn
        uint16 trainingRateBps;
        uint16 faultBps; // parts of the least bond
        uint16 missBps;
        uint32 beaconDelay; // L2 blocks
        uint64 reportSeconds;
        uint64 voteSeconds;
    }

    struct Audit {
        Status status;
        Finding finding; // of the auditor
        uint8 sourceKind;
        uint64 deadline; // of the report, then of the votes; Unix seconds
        address runner; // whose output it is
        address auditor;
        uint256 modelId;
        uint256 batchIndex;
        address[3] jurors; // all three or none
        Finding[3] votes;
    }

    event AuditOpened(
        bytes32 indexed outputId,
        address indexed runner,
        address indexed auditor,
        uint256 modelId,
        uint256 batchIndex,
        uint8 sourceKind,
        uint64 deadline,
        bytes32 seed
    );
    event AuditReported(bytes32 indexed outputId, address indexed auditor, Finding finding, string detail);
    event AuditContested(bytes32 indexed outputId, address juror0, address juror1, address juror2, uint64 deadline);
    event AuditVoted(bytes32 indexed outputId, address indexed juror, Finding finding, string detail);
    event AuditClosed(bytes32 indexed outputId, address indexed runner, Status outcome);

    error AlreadyAudited(bytes32 outputId);
    error NotDrawn(bytes32 outputId);
    error BeaconNotReached(uint256 beaconBlock);
    error BeaconUnknown(uint256 beaconBlock, bytes32 given);
    error NoAuditor(bytes32 outputId);
    error WrongStatus(bytes32 outputId, Status status);
    error NotAuditor(address caller);
    error NotJuror(address caller);
    error AlreadyVoted(address juror);
    error NoFinding();
    error TooLate(bytes32 outputId, uint64 deadline);
    error StillTime(bytes32 outputId, uint64 deadline);
    error TextTooLong(uint256 length, uint256 max);

    function INFERENCE_RATE_BPS() external view returns (uint16);
    function TRAINING_RATE_BPS() external view returns (uint16);
    function FAULT_BPS() external view returns (uint16);
    function MISS_BPS() external view returns (uint16);
    function BEACON_DELAY() external view returns (uint32);
    function REPORT_SECONDS() external view returns (uint64);
    function VOTE_SECONDS() external view returns (uint64);

    /// @notice Opens the audit of a drawn output; anybody, for as long as EIP-2935 knows the beacon block.
    /// @param beaconHeader the RLP of the beacon block's header
    function open(IAttributionLedger.Place calldata place, bytes calldata beaconHeader)
        external
        returns (bytes32 outputId);
    /// @notice The auditor, before the deadline.
    function report(bytes32 outputId, Finding finding, string calldata detail) external;
    /// @notice A juror, once, before the deadline. The second vote of a kind decides.
    function vote(bytes32 outputId, Finding finding, string calldata detail) external;
    /// @notice Anybody, from the deadline on: a missing report contests, missing votes end the audit undecided.
    function close(bytes32 outputId) external;

    function audit(bytes32 outputId) external view returns (Audit memory);
    /// @notice Share of the outputs of a source kind that is drawn, in basis points.
    function rateOf(uint8 sourceKind) external view returns (uint256);
    function isDrawn(bytes32 outputId, uint8 sourceKind, bytes32 seed) external view returns (bool);
    /// @notice The auditor and the jurors, address(0) where the seats don't suffice.
    function candidates(bytes32 outputId, bytes32 seed, uint256 batchBlock, address runner)
        external
        view
        returns (address[4] memory);
}
