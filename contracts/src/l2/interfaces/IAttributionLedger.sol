// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AttributionPage} from "../lib/AttributionPage.sol";

/// @title The hash chain over all attribution batches.
/// @notice The pages themselves are calldata of the top-level transaction (to this contract or to Jobs); chain readers take
///         them from there and check them against the root in the event. Format: docs/spec/attribution-batch.md.
interface IAttributionLedger {
    /// @notice All that a batch is, one hash of which is stored.
    struct BatchHeader {
        bytes32 previousHead;
        address runner;
        uint64 blockNumber;
        uint32 pageCount;
        bytes32 pagesRoot;
        bytes32 settlementsHash; // keccak256(abi.encode(Settlement[])); 0 when the batch settles nothing
    }

    /// @notice Money that was settled with a batch, for the outputs of one source in it.
    struct Settlement {
        uint8 sourceKind; // 1 training job, 2 channel, 3 inference job
        uint256 sourceId;
        address payer;
        uint256 amount; // wei of OPEN
        uint32 splitVersion;
    }

    /// @notice Where an output stands, with what proves it.
    struct Place {
        uint256 batchIndex;
        BatchHeader header;
        uint256 pageIndex;
        bytes page;
        bytes32[] path; // siblings from the page's leaf up
        uint256 outputIndex;
    }

    /// @param head keccak256(abi.encode(batchIndex, header))
    event BatchAppended(
        uint256 indexed batchIndex,
        address indexed runner,
        uint32 pageCount,
        bytes32 pagesRoot,
        bytes32 settlementsHash,
        bytes32 head
    );

    error NotBondedRunner(address caller);
    error NotJobs(address caller);
    error NotTopLevel(address caller);
    error EmptyBatch();
    error UnknownBatch(uint256 batchIndex, bytes32 head);
    error BadPath(uint256 batchIndex, uint256 pageIndex);
    error NoOutput(uint256 outputIndex, uint256 outputs);
    error NoRow(uint256 rowIndex, uint256 rows);

    /// @notice A bonded runner appends directly, as a top-level call.
    function append(bytes[] calldata pages) external returns (uint256 batchIndex);
    /// @notice Only Jobs, which has checked that it is the top-level call of a bonded runner.
    function appendFor(address runner, bytes[] calldata pages, bytes32 settlementsHash)
        external
        returns (uint256 batchIndex);

    function head() external view returns (bytes32);
    function batchCount() external view returns (uint256);
    /// @notice The head after batch `batchIndex`; O(1) storage per batch.
    function headAt(uint256 batchIndex) external view returns (bytes32);
    /// @notice Reverts unless batch `batchIndex` was appended with exactly this header.
    function checkHeader(uint256 batchIndex, BatchHeader calldata header) external view;

    /// @notice The output at `place`, with all its rows; reverts when anything of it is not in the ledger.
    function proveOutput(Place calldata place)
        external
        view
        returns (bytes32 outputId, AttributionPage.Output memory output);
    /// @notice Row `rowIndex` of that output: the contribution and its weight.
    function proveAttribution(Place calldata place, uint256 rowIndex)
        external
        view
        returns (bytes32 outputId, uint256 contributionId, uint256 weight);
}
