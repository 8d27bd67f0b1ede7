// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {TopLevel} from "./lib/TopLevel.sol";

/// @title The hash chain over all attribution batches.
/// @notice Batches count from 0; the head before the first one is bytes32(0).
/// @dev The contract hashes a batch and doesn't read it: a node that finds it malformed emits BatchRejected, and decoding
///      here would cost more than all the rest of a settlement.
contract AttributionLedger is IAttributionLedger, Initializable {
    /// @dev The only format there is, docs/spec/attribution-batch.md.
    uint8 private constant VERSION = 0;

    IStaking public staking;
    address public jobs;
    uint256 public batchCount;
    mapping(uint256 batchIndex => bytes32 head) private _heads;

    constructor() {
        _disableInitializers();
    }

    function initialize(IStaking staking_, address jobs_) external initializer {
        staking = staking_;
        jobs = jobs_;
    }

    /// @inheritdoc IAttributionLedger
    function append(uint8 version, uint32 count, bytes calldata batch) external returns (uint256 batchIndex) {
        if (!TopLevel.isTopLevel(msg.sender)) revert NotTopLevel(msg.sender);
        if (!staking.isBonded(msg.sender)) revert NotBondedRunner(msg.sender);
        return _append(msg.sender, version, count, batch);
    }

    /// @inheritdoc IAttributionLedger
    function appendFor(address runner, uint8 version, uint32 count, bytes calldata batch)
        external
        returns (uint256 batchIndex)
    {
        if (msg.sender != jobs) revert NotJobs(msg.sender);
        return _append(runner, version, count, batch);
    }

    /// @inheritdoc IAttributionLedger
    function head() external view returns (bytes32) {
        return batchCount == 0 ? bytes32(0) : _heads[batchCount - 1];
    }

    /// @inheritdoc IAttributionLedger
    /// @dev bytes32(0) where there is no such batch yet.
    function headAt(uint256 batchIndex) external view returns (bytes32) {
        return _heads[batchIndex];
    }

    function _append(address runner, uint8 version, uint32 count, bytes calldata batch)
        private
        returns (uint256 batchIndex)
    {
        if (version != VERSION) revert UnknownBatchVersion(version);
        if (count == 0 || batch.length == 0) revert EmptyBatch();
        batchIndex = batchCount++;
        bytes32 previous = batchIndex == 0 ? bytes32(0) : _heads[batchIndex - 1];
        bytes32 batchHash = keccak256(batch);
        bytes32 next = keccak256(abi.encode(previous, batchIndex, version, count, batchHash));
        _heads[batchIndex] = next;
        emit BatchAppended(batchIndex, runner, version, count, batchHash, next);
    }
}
