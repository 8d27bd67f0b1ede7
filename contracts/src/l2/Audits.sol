// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IAudits} from "./interfaces/IAudits.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {AttributionPage} from "./lib/AttributionPage.sol";
import {Text} from "./lib/Text.sol";

/// @title Sampled re-execution: outputs that are drawn by chance are computed again by other runners.
/// @notice Draw, auditor and jurors follow from blocks alone, so nobody chooses them. Nobody is paid here, and what is
///         slashed is burned: an audit has nothing to win, only a bond to lose.
contract Audits is IAudits, Initializable {
    uint256 private constant BASIS_POINTS = 10_000;
    uint8 private constant TRAINING = 1;
    uint256 private constant JURORS = 3;
    uint256 private constant MAJORITY = 2;

    IStaking public staking;
    IAttributionLedger public ledger;
    uint16 public INFERENCE_RATE_BPS;
    uint16 public TRAINING_RATE_BPS;
    uint16 public FAULT_BPS;
    uint16 public MISS_BPS;
    uint32 public BEACON_DELAY;
    uint64 public REPORT_SECONDS;
    uint64 public VOTE_SECONDS;
    mapping(bytes32 outputId => Audit) private _audits;

    constructor() {
        _disableInitializers();
    }

    function initialize(IStaking staking_, IAttributionLedger ledger_, Settings calldata settings)
        external
        initializer
    {
        staking = staking_;
        ledger = ledger_;
        INFERENCE_RATE_BPS = settings.inferenceRateBps;
        TRAINING_RATE_BPS = settings.trainingRateBps;
        FAULT_BPS = settings.faultBps;
        MISS_BPS = settings.missBps;
        BEACON_DELAY = settings.beaconDelay;
        REPORT_SECONDS = settings.reportSeconds;
        VOTE_SECONDS = settings.voteSeconds;
    }

    /// @inheritdoc IAudits
    function open(IAttributionLedger.Place calldata place, bytes calldata beaconHeader)
        external
        returns (bytes32 outputId)
    {
        AttributionPage.Output memory output;
        (outputId, output) = ledger.proveOutput(place);
        Audit storage opened = _audits[outputId];
        if (opened.status != Status.None) revert AlreadyAudited(outputId);
        uint256 beaconBlock = uint256(place.header.blockNumber) + BEACON_DELAY;
        bytes32 seed = _seed(beaconBlock, beaconHeader);
        if (!isDrawn(outputId, output.sourceKind, seed)) revert NotDrawn(outputId);
        address runner = place.header.runner;
        address[4] memory drawn = candidates(outputId, seed, place.header.blockNumber, runner);
        if (drawn[0] == address(0)) revert NoAuditor(outputId);
        opened.status = Status.Open;
        opened.sourceKind = output.sourceKind;
        opened.deadline = uint64(block.timestamp) + REPORT_SECONDS;
        opened.runner = runner;
        opened.auditor = drawn[0];
        opened.modelId = output.modelId;
        opened.batchIndex = place.batchIndex;
        if (drawn[JURORS] != address(0)) opened.jurors = [drawn[1], drawn[2], drawn[3]];
        emit AuditOpened(
            outputId,
            runner,
            drawn[0],
            output.modelId,
            place.batchIndex,
            output.sourceKind,
            opened.deadline,
            seed
        );
    }

    /// @inheritdoc IAudits
    function report(bytes32 outputId, Finding finding, string calldata detail) external {
        Audit storage reported = _running(outputId, Status.Open);
        if (msg.sender != reported.auditor) revert NotAuditor(msg.sender);
        _checkStatement(outputId, reported, finding, detail);
        reported.finding = finding;
        emit AuditReported(outputId, msg.sender, finding, detail);
        if (finding == Finding.Matches) _end(outputId, reported, Status.Matched);
        else _contest(outputId, reported);
    }

    /// @inheritdoc IAudits
    function vote(bytes32 outputId, Finding finding, string calldata detail) external {
        Audit storage contested = _running(outputId, Status.Contested);
        uint256 seat = _seatOf(contested, msg.sender);
        if (contested.votes[seat] != Finding.None) revert AlreadyVoted(msg.sender);
        _checkStatement(outputId, contested, finding, detail);
        contested.votes[seat] = finding;
        emit AuditVoted(outputId, msg.sender, finding, detail);
        (uint256 faults, uint256 matches) = _count(contested);
        if (faults == MAJORITY) {
            _end(outputId, contested, Status.Faulted);
            _penalize(contested.runner, FAULT_BPS, "audit: the output can't be computed again");
        } else if (matches == MAJORITY) {
            _end(outputId, contested, Status.Dismissed);
            // An auditor that reported nothing has lost for that already.
            if (contested.finding != Finding.None) {
                _penalize(contested.auditor, FAULT_BPS, "audit: reported a fault that is none");
            }
        }
    }

    /// @inheritdoc IAudits
    function close(bytes32 outputId) external {
        Audit storage late = _audits[outputId];
        bool open_ = late.status == Status.Open;
        if (!open_ && late.status != Status.Contested) revert WrongStatus(outputId, late.status);
        if (block.timestamp < late.deadline) revert StillTime(outputId, late.deadline);
        if (open_) {
            _contest(outputId, late);
            _penalize(late.auditor, MISS_BPS, "audit: no report in time");
            return;
        }
        _end(outputId, late, Status.Undecided);
        for (uint256 seat = 0; seat < JURORS; seat++) {
            if (late.votes[seat] == Finding.None) _penalize(late.jurors[seat], MISS_BPS, "audit: no vote in time");
        }
    }

    /// @inheritdoc IAudits
    function audit(bytes32 outputId) external view returns (Audit memory) {
        return _audits[outputId];
    }

    /// @inheritdoc IAudits
    function rateOf(uint8 sourceKind) public view returns (uint256) {
        return sourceKind == TRAINING ? TRAINING_RATE_BPS : INFERENCE_RATE_BPS;
    }

    /// @inheritdoc IAudits
    function isDrawn(bytes32 outputId, uint8 sourceKind, bytes32 seed) public view returns (bool) {
        return uint256(keccak256(abi.encode(seed, outputId))) % BASIS_POINTS < rateOf(sourceKind);
    }

    /// @inheritdoc IAudits
    /// @dev Of five seats in a row at most four are taken by the audited runner and the candidates before, so a search
    ///      is short however many seats there are.
    function candidates(bytes32 outputId, bytes32 seed, uint256 batchBlock, address runner)
        public
        view
        returns (address[4] memory drawn)
    {
        uint256 seats = staking.seatCountAt(batchBlock);
        for (uint256 k = 0; k < drawn.length; k++) {
            uint256 first = seats == 0 ? 0 : uint256(keccak256(abi.encode(seed, outputId, k))) % seats;
            for (uint256 i = 0; i < seats && drawn[k] == address(0); i++) {
                address candidate = staking.seatAt((first + i) % seats, batchBlock);
                if (candidate != runner && !_isAmong(drawn, candidate)) drawn[k] = candidate;
            }
        }
    }

    /// @dev `prevrandao` of the beacon block, out of a header whose hash the chain knows.
    function _seed(uint256 beaconBlock, bytes calldata header) private view returns (bytes32) {
        if (beaconBlock >= block.number) revert BeaconNotReached(beaconBlock);
        bytes32 given = keccak256(header);
        if (Blockhash.blockHash(beaconBlock) != given) revert BeaconUnknown(beaconBlock, given);
        return BlockHeader.getPrevRandao(header);
    }

    /// @dev The jurors decide, where there are some.
    function _contest(bytes32 outputId, Audit storage contested) private {
        address[3] memory jurors = contested.jurors;
        if (jurors[0] == address(0)) return _end(outputId, contested, Status.Undecided);
        uint64 deadline = uint64(block.timestamp) + VOTE_SECONDS;
        contested.status = Status.Contested;
        contested.deadline = deadline;
        emit AuditContested(outputId, jurors[0], jurors[1], jurors[2], deadline);
    }

    function _end(bytes32 outputId, Audit storage ended, Status outcome) private {
        ended.status = outcome;
        emit AuditClosed(outputId, ended.runner, outcome);
    }

    function _penalize(address who, uint256 basisPoints, string memory reason) private {
        staking.penalize(who, staking.MIN_BOND() * basisPoints / BASIS_POINTS, reason);
    }

    function _running(bytes32 outputId, Status expected) private view returns (Audit storage found) {
        found = _audits[outputId];
        if (found.status != expected) revert WrongStatus(outputId, found.status);
    }

    function _checkStatement(bytes32 outputId, Audit storage about, Finding finding, string calldata detail)
        private
        view
    {
        if (block.timestamp >= about.deadline) revert TooLate(outputId, about.deadline);
        if (finding == Finding.None) revert NoFinding();
        if (bytes(detail).length > Text.MAX_DESCRIPTION) {
            revert TextTooLong(bytes(detail).length, Text.MAX_DESCRIPTION);
        }
    }

    function _seatOf(Audit storage contested, address juror) private view returns (uint256) {
        for (uint256 seat = 0; seat < JURORS; seat++) {
            if (contested.jurors[seat] == juror) return seat;
        }
        revert NotJuror(juror);
    }

    function _count(Audit storage contested) private view returns (uint256 faults, uint256 matches) {
        for (uint256 seat = 0; seat < JURORS; seat++) {
            Finding finding = contested.votes[seat];
            if (finding == Finding.Matches) matches++;
            else if (finding != Finding.None) faults++;
        }
    }

    function _isAmong(address[4] memory drawn, address candidate) private pure returns (bool) {
        for (uint256 k = 0; k < drawn.length; k++) {
            if (drawn[k] == candidate) return true;
        }
        return false;
    }
}
