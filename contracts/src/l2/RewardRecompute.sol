// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IDatanets} from "./interfaces/IDatanets.sol";
import {IJobs} from "./interfaces/IJobs.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IRewardRecompute} from "./interfaces/IRewardRecompute.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {AttributionPage} from "./lib/AttributionPage.sol";
import {RewardShares} from "./lib/RewardShares.sol";
import {RewardEvidence} from "./rewards/RewardEvidence.sol";

/// @title What an account is due of one receipt, computed from the chain's state and the batch itself.
/// @notice The rules of docs/spec/rewards-ledger.md. State (owners, stakes, acceptances) counts as it was at the end of the
///         batch's block, which is the same at any later time.
contract RewardRecompute is RewardEvidence, Initializable {
    using SlotDerivation for bytes32;
    using TransientSlot for *;

    struct Parts {
        uint256 owner;
        uint256 runner;
        uint256 contributors;
        uint256 stakers;
        uint256 platform;
    }

    /// @dev keys and mine may be longer than weights, which has one entry a cluster.
    struct Clusters {
        uint256[] weights;
        uint256[] keys;
        bool[] mine;
    }

    struct Sources {
        IAttributionLedger ledger;
        IJobs jobs;
        IModels models;
        IDatanets datanets;
        IStaking staking;
        IRewards rewards;
    }

    /// @inheritdoc IRewardRecompute
    uint256 public constant MAX_PAID_ROWS = 512;
    /// @notice The page of receipts that stand for a settlement as a whole.
    uint256 public constant SETTLEMENT_PAGE = 0xffffff;

    /// @notice Basis points of the owner's part that go to the owner of what the model was trained on.
    uint256 public constant PARENT_BPS = 2_000;

    uint256 private constant BASIS_POINTS = 10_000;
    uint8 private constant TRAINING = 1;
    bytes32 private constant CLUSTERS = keccak256("openledger.RewardRecompute.clusters");

    Sources private _contracts;

    constructor() {
        _disableInitializers();
    }

    function initialize(Sources calldata sources) external initializer {
        _contracts = sources;
    }

    /// @inheritdoc IRewardRecompute
    /// @dev The evidence has to be that of the receipt's batch; its page that of the receipt, if the batch has so many.
    function due(address account, uint96 receipt, Evidence calldata evidence) external returns (uint256) {
        BatchProof calldata batch = evidence.batch;
        _checkBatch(batch);
        uint256 page = (receipt >> 24) & 0xffffff;
        if (page == SETTLEMENT_PAGE) return _refundDue(account, receipt & 0xffffff, batch);
        if (page >= batch.header.pageCount) return 0;
        if (evidence.page.index != page) revert WrongPage(batch.batchIndex, evidence.page.index);
        _checkPage(batch, evidence.page);
        Reading memory reading = _read(evidence.page, receipt & 0xffffff);
        if (!reading.exists) return 0;
        AttributionPage.Output memory output = reading.output;
        (uint256 amount, uint256 first) = _settled(batch, output.sourceKind, output.sourceId);
        if (amount == 0) return 0;
        Scan memory sums = _sums(batch, output.sourceKind, output.sourceId, page);
        if (sums.total == 0) return 0;
        amount = RewardShares.prefixPart(amount, sums.before + reading.before, output.feeWeight, sums.total);
        return amount == 0 ? 0 : _outputDue(account, amount, output, batch.settlements[first], evidence);
    }

    /// @dev Money that no payable output belongs to goes back to whoever paid, under the first settlement of its source.
    function _refundDue(address account, uint256 index, BatchProof calldata batch) private view returns (uint256) {
        if (index >= batch.settlements.length) return 0;
        IAttributionLedger.Settlement calldata settlement = batch.settlements[index];
        (uint256 amount, uint256 first) = _settled(batch, settlement.sourceKind, settlement.sourceId);
        if (first != index || account != settlement.payer) return 0;
        return _sums(batch, settlement.sourceKind, settlement.sourceId, 0).total == 0 ? amount : 0;
    }

    /// @dev All that was settled for a source with the batch, and the first settlement of it.
    function _settled(BatchProof calldata batch, uint8 sourceKind, uint256 sourceId)
        private
        pure
        returns (uint256 amount, uint256 first)
    {
        for (uint256 i = batch.settlements.length; i > 0; i--) {
            IAttributionLedger.Settlement calldata settlement = batch.settlements[i - 1];
            if (settlement.sourceKind != sourceKind || settlement.sourceId != sourceId) continue;
            amount += settlement.amount;
            first = i - 1;
        }
    }

    function _outputDue(
        address account,
        uint256 amount,
        AttributionPage.Output memory output,
        IAttributionLedger.Settlement calldata settlement,
        Evidence calldata evidence
    ) private returns (uint256 sum) {
        IAttributionLedger.BatchHeader calldata header = evidence.batch.header;
        address[] memory line = _contracts.models.lineAt(output.modelId, header.blockNumber);
        address owner = line.length == 0 ? address(0) : line[0];
        if (owner == address(0) || output.weights.length > MAX_PAID_ROWS) {
            return account == settlement.payer ? amount : 0;
        }
        Parts memory parts = _parts(amount, _contracts.jobs.split(settlement.splitVersion));
        sum += _lineDue(account, line, parts.owner);
        if (account == header.runner) sum += parts.runner;
        if (account == _contracts.rewards.platform()) sum += parts.platform;
        sum += _stakersDue(account, parts.stakers, header);
        sum += _contributorsDue(account, owner, parts.contributors, output, evidence);
    }

    /// @dev Each generation passes a share of what reaches it on to the one that it was trained on; the last keeps all.
    function _lineDue(address account, address[] memory line, uint256 amount) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < line.length; i++) {
            uint256 passed = i + 1 < line.length ? amount * PARENT_BPS / BASIS_POINTS : 0;
            if (account == line[i]) sum += amount - passed;
            amount = passed;
        }
    }

    function _parts(uint256 amount, IJobs.Split memory split) private pure returns (Parts memory) {
        uint256[] memory weights = new uint256[](5);
        uint256[] memory keys = new uint256[](5);
        (weights[0], weights[1], weights[2]) = (split.owner, split.runner, split.contributors);
        (weights[3], weights[4]) = (split.stakers, split.platform);
        for (uint256 i = 0; i < 5; i++) keys[i] = i;
        return Parts(
            RewardShares.share(amount, weights, keys, 0),
            RewardShares.share(amount, weights, keys, 1),
            RewardShares.share(amount, weights, keys, 2),
            RewardShares.share(amount, weights, keys, 3),
            RewardShares.share(amount, weights, keys, 4)
        );
    }

    /// @dev By stake and bond; all of it is the runner's where there is neither.
    function _stakersDue(address account, uint256 amount, IAttributionLedger.BatchHeader calldata header)
        private
        view
        returns (uint256)
    {
        if (amount == 0) return 0;
        (address[] memory stakers, uint256[] memory stakes) =
            _contracts.staking.stakersAt(header.runner, header.blockNumber);
        uint256[] memory keys = new uint256[](stakers.length);
        uint256 total = 0;
        uint256 index = stakers.length;
        for (uint256 i = 0; i < stakers.length; i++) {
            keys[i] = uint160(stakers[i]);
            total += stakes[i];
            if (stakers[i] == account && stakes[i] != 0) index = i;
        }
        if (total == 0) return account == header.runner ? amount : 0;
        return index == stakers.length ? 0 : RewardShares.share(amount, stakes, keys, index);
    }

    /// @dev The output's own rows; where it has none, those of an output of its adapter's training; without that, the model's owner.
    function _contributorsDue(
        address account,
        address owner,
        uint256 amount,
        AttributionPage.Output memory output,
        Evidence calldata evidence
    ) private returns (uint256 sum) {
        if (amount == 0) return 0;
        AttributionPage.Output memory shown =
            output.weights.length != 0 ? output : _trainingOf(output, evidence.training);
        bool any;
        (any, sum) = _clustersDue(account, amount, shown, evidence);
        if (any) return sum;
        return account == owner ? amount : 0;
    }

    function _clustersDue(
        address account,
        uint256 amount,
        AttributionPage.Output memory output,
        Evidence calldata evidence
    ) private returns (bool any, uint256 sum) {
        if (output.contributionIds.length == 0) return (false, 0);
        Clusters memory clusters = _clustersOf(account, output, evidence.batch.header.blockNumber);
        if (clusters.weights.length == 0) return (false, 0);
        sum = RewardShares.cappedSum(amount, clusters.weights, clusters.keys, clusters.mine, evidence.lastServed);
        return (true, sum);
    }

    /// @dev Rows of contributions that were accepted by then, by cluster; a cluster weighs as much as its heaviest row.
    function _clustersOf(address account, AttributionPage.Output memory output, uint256 blockNumber)
        private
        returns (Clusters memory clusters)
    {
        IDatanets.Credit[] memory credits = _contracts.datanets.creditsOf(output.contributionIds);
        clusters.weights = new uint256[](credits.length);
        clusters.keys = new uint256[](credits.length);
        clusters.mine = new bool[](credits.length);
        uint256 count = 0;
        for (uint256 i = 0; i < credits.length; i++) {
            IDatanets.Credit memory credit = credits[i];
            if (credit.cluster == 0 || credit.acceptedAt > blockNumber) continue;
            TransientSlot.Uint256Slot place = CLUSTERS.deriveMapping(uint256(credit.cluster)).asUint256();
            uint256 found = place.tload();
            if (found == 0) {
                found = ++count;
                place.tstore(found);
                clusters.keys[found - 1] = credit.cluster;
                clusters.mine[found - 1] = credit.payee == account;
            }
            uint256 weight = output.weights[i];
            if (weight > clusters.weights[found - 1]) clusters.weights[found - 1] = weight;
        }
        // Another computation of the same transaction must find nothing.
        for (uint256 i = 0; i < count; i++) CLUSTERS.deriveMapping(clusters.keys[i]).asUint256().tstore(0);
        clusters.weights = _first(clusters.weights, count);
    }

    /// @dev The output of its adapter's training that an answer without evidence draws by its id, in proportion to their
    ///      fee weights; an empty one for a base model and for a training that recorded nothing payable.
    function _trainingOf(AttributionPage.Output memory output, Training calldata training)
        private
        view
        returns (AttributionPage.Output memory trained)
    {
        uint256 jobId = _contracts.models.model(output.modelId).jobId;
        if (jobId == 0) return trained;
        _checkBatch(training.batch);
        (, uint256 first) = _settled(training.batch, TRAINING, jobId);
        if (
            first >= training.batch.settlements.length || training.batch.settlements[first].sourceKind != TRAINING
                || training.batch.settlements[first].sourceId != jobId
        ) revert WrongTraining(training.batch.batchIndex, jobId);
        Scan memory sums = _sums(training.batch, TRAINING, jobId, training.page.index);
        if (sums.total == 0) return trained;
        _checkPage(training.batch, training.page);
        Reading memory reading = _read(training.page, training.output);
        uint256 drawn = uint256(AttributionPage.outputId(output)) % sums.total;
        uint256 before = sums.before + reading.before;
        trained = reading.output;
        if (
            !reading.exists || trained.sourceKind != TRAINING || trained.sourceId != jobId || drawn < before
                || drawn >= before + trained.feeWeight
        ) revert WrongTraining(training.batch.batchIndex, jobId);
        if (trained.weights.length > MAX_PAID_ROWS) trained.contributionIds = new uint256[](0);
    }

    function _first(uint256[] memory values, uint256 count) private pure returns (uint256[] memory kept) {
        kept = new uint256[](count);
        for (uint256 i = 0; i < count; i++) kept[i] = values[i];
    }

    function _ledger() internal view override returns (IAttributionLedger) {
        return _contracts.ledger;
    }
}
