// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {IDatanets} from "../interfaces/IDatanets.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {IModels} from "../interfaces/IModels.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {TopLevel} from "../lib/TopLevel.sol";

/// @title All state of Jobs in one place.
/// @dev The parts of Jobs share one proxy: with the variables here, their slots don't depend on the order in which the
///      parts are inherited. An upgrade appends at the end only.
abstract contract JobsStorage is IJobs {
    /// @dev Kinds of sources in attribution batches (docs/spec/attribution-batch.md).
    uint8 internal constant SOURCE_TRAINING_JOB = 1;
    uint8 internal constant SOURCE_CHANNEL = 2;

    IModels public models;
    IDatanets public datanets;
    IAttributionLedger public ledger;
    IRewards public rewards;
    IStaking public staking;

    uint64 public CLOSE_DELAY;
    uint32 public splitVersion;
    uint256 internal _escrowed;
    uint256 internal _settled;
    uint256 internal _refunded;
    uint256 public jobCount;
    uint256 public channelCount;
    mapping(uint32 version => Split) internal _splits;
    mapping(uint256 jobId => Job) internal _jobs;
    mapping(uint256 channelId => Channel) internal _channels;

    modifier onlyTopLevel() {
        if (!TopLevel.isTopLevel(msg.sender)) revert NotTopLevel(msg.sender);
        _;
    }

    modifier onlyBonded(address runner) {
        if (!staking.isBonded(runner)) revert NotBondedRunner(runner);
        _;
    }
}
