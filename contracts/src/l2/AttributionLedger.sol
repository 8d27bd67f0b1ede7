// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IAttributionLedger} from "./interfaces/IAttributionLedger.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {AttributionProofs} from "./ledger/AttributionProofs.sol";
import {PagesTree} from "./lib/PagesTree.sol";
import {TopLevel} from "./lib/TopLevel.sol";

/// @title The hash chain over all attribution batches.
/// @notice Batches count from 0; the head before the first one is bytes32(0).
/// @dev The contract hashes pages and doesn't read them: a node that finds one malformed rejects it, and AttributionProofs
///      refuses it by the same rules. Decoding here would cost more than all the rest of a settlement.
contract AttributionLedger is AttributionProofs, Initializable {
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
    function append(bytes[] calldata pages) external returns (uint256 batchIndex) {
        if (!TopLevel.isTopLevel(msg.sender)) revert NotTopLevel(msg.sender);
        if (!staking.isBonded(msg.sender)) revert NotBondedRunner(msg.sender);
        return _append(msg.sender, pages, bytes32(0));
    }

    /// @inheritdoc IAttributionLedger
    function appendFor(address runner, bytes[] calldata pages, bytes32 settlementsHash)
        external
        returns (uint256 batchIndex)
    {
        if (msg.sender != jobs) revert NotJobs(msg.sender);
        return _append(runner, pages, settlementsHash);
    }

    /// @inheritdoc IAttributionLedger
    function head() external view returns (bytes32) {
        return batchCount == 0 ? bytes32(0) : _heads[batchCount - 1];
    }

    /// @inheritdoc IAttributionLedger
    /// @dev bytes32(0) where there is no such batch yet.
    function headAt(uint256 batchIndex) public view override returns (bytes32) {
        return _heads[batchIndex];
    }

    function _append(address runner, bytes[] calldata pages, bytes32 settlementsHash)
        private
        returns (uint256 batchIndex)
    {
        if (pages.length == 0) revert EmptyBatch();
        batchIndex = batchCount++;
        BatchHeader memory header = BatchHeader({
            previousHead: batchIndex == 0 ? bytes32(0) : _heads[batchIndex - 1],
            runner: runner,
            blockNumber: uint64(block.number),
            pageCount: uint32(pages.length),
            pagesRoot: PagesTree.root(pages),
            settlementsHash: settlementsHash
        });
        bytes32 next = keccak256(abi.encode(batchIndex, header));
        _heads[batchIndex] = next;
        emit BatchAppended(batchIndex, runner, header.pageCount, header.pagesRoot, settlementsHash, next);
    }
}
