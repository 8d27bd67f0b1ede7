// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IDatanets} from "./interfaces/IDatanets.sol";
import {IJobs} from "./interfaces/IJobs.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {InferenceChannels} from "./jobs/InferenceChannels.sol";
import {InferenceJobs} from "./jobs/InferenceJobs.sol";
import {TrainingJobs} from "./jobs/TrainingJobs.sol";

/// @title Training jobs, inference channels and inference jobs: escrow, lease, exactly-once commit, settlement, refund.
/// @notice Settled money goes to Rewards as a whole. How it divides is computed off chain from the split whose version the
///         settlement's event carries, so a later split never touches what was settled before.
contract Jobs is TrainingJobs, InferenceChannels, InferenceJobs, Ownable2StepUpgradeable {
    uint256 private constant BASIS_POINTS = 10_000;

    struct Parts {
        IModels models;
        IDatanets datanets;
        IAttributionLedger ledger;
        IRewards rewards;
        IStaking staking;
    }

    constructor() {
        _disableInitializers();
    }

    /// @param closeDelay seconds between a close request and the refund
    function initialize(address governance, Parts calldata parts, uint64 closeDelay) external initializer {
        __Ownable_init(governance);
        __EIP712_init("OpenLedger Jobs", "1");
        models = parts.models;
        datanets = parts.datanets;
        ledger = parts.ledger;
        rewards = parts.rewards;
        staking = parts.staking;
        CLOSE_DELAY = closeDelay;
        _setSplit(Split({owner: 3000, runner: 3000, contributors: 3000, stakers: 1000, platform: 0}));
    }

    /// @inheritdoc IJobs
    function setSplit(Split calldata split_) external onlyOwner returns (uint32 version) {
        return _setSplit(split_);
    }

    /// @inheritdoc IJobs
    /// @dev All zero where there is no such version.
    function split(uint32 version) external view returns (Split memory) {
        return _splits[version];
    }

    function _setSplit(Split memory next) private returns (uint32 version) {
        uint256 sum = uint256(next.owner) + next.runner + next.contributors + next.stakers + next.platform;
        if (sum != BASIS_POINTS) revert BadSplit(sum);
        version = ++splitVersion;
        _splits[version] = next;
        emit SplitSet(version, next.owner, next.runner, next.contributors, next.stakers, next.platform);
    }
}
