// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AttributionPage} from "../lib/AttributionPage.sol";
import {IAttributionLedger} from "./IAttributionLedger.sol";

/// @title What an account is due of a receipt, computed on chain from the batch and the state at its block.
interface IRewardRecompute {
    struct BatchProof {
        uint256 batchIndex;
        IAttributionLedger.BatchHeader header;
        IAttributionLedger.Settlement[] settlements;
    }

    struct PageProof {
        uint256 index;
        bytes page;
        bytes32[] path;
    }

    /// @notice Where the contributors of an answer without evidence are found: an output of its adapter's training.
    struct Training {
        BatchProof batch;
        PageProof page;
        uint256 output;
    }

    struct Evidence {
        BatchProof batch;
        PageProof page; // ignored where the receipt is that of a settlement
        Training training; // ignored where the output has evidence, or its model was not trained here
        uint256 lastServed; // see RewardShares.cappedSum
    }

    /// @notice An output, and the fee weights of its source that stand before it on its page.
    struct Reading {
        bool exists;
        uint256 before;
        AttributionPage.Output output;
    }

    /// @notice Fee weights of one source over a batch's pages, summed up to `next`; `before` is the sum before the target.
    struct Scan {
        uint64 next;
        uint256 before;
        uint256 total;
    }

    error WrongSettlements(uint256 batchIndex);
    error WrongPage(uint256 batchIndex, uint256 pageIndex);
    error WrongTraining(uint256 batchIndex, uint256 jobId);
    error NotNextPage(uint256 batchIndex, uint256 pageIndex, uint256 next);
    error NotScanned(uint256 batchIndex, uint256 next, uint256 pageCount);
    /// @notice Reading the page failed for another reason than its content, such as too little gas.
    error Undecided();

    /// @notice Bytes of a page's body that one transaction can read on chain. Longer pages are recorded, but not paid for.
    function MAX_PAID_BODY() external view returns (uint256);
    /// @notice Rows of one output that can be paid for: what a dispute can look up in one transaction. An output with more
    ///         is refunded.
    function MAX_PAID_ROWS() external view returns (uint256);

    /// @notice Adds up the fee weights of a source over the next pages of a batch; page by page, in as many transactions as
    ///         it takes. What a settlement's outputs get depends on all of them.
    /// @param target the page whose output is in question; 0 when only the total is
    function scan(
        BatchProof calldata batch,
        uint8 sourceKind,
        uint256 sourceId,
        uint256 target,
        PageProof[] calldata pages
    ) external;
    /// @notice How far a scan has come.
    function scanned(uint256 batchIndex, uint8 sourceKind, uint256 sourceId, uint256 target)
        external
        view
        returns (Scan memory);

    /// @notice What the receipt pays the account. Needs the scans of the batch, and of the training where that counts.
    /// @param receipt (batchIndex + 1) << 48 | page << 24 | output; page 0xffffff and the settlement's index for a refund
    /// @dev Not a view because it uses transient storage; nothing stays.
    function due(address account, uint96 receipt, Evidence calldata evidence) external returns (uint256);
}
