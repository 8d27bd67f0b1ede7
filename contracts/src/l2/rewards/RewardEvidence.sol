// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {IRewardRecompute} from "../interfaces/IRewardRecompute.sol";
import {AttributionPage} from "../lib/AttributionPage.sol";
import {PageReader} from "../lib/PageReader.sol";
import {PagesTree} from "../lib/PagesTree.sol";

/// @title Reads batches that a challenger brings along, after checking them against the ledger's heads.
abstract contract RewardEvidence is IRewardRecompute {
    using PageReader for PageReader.Reader;

    /// @inheritdoc IRewardRecompute
    uint256 public constant MAX_PAID_BODY = 6_144;

    mapping(bytes32 source => Scan) private _scans;

    function _ledger() internal view virtual returns (IAttributionLedger);

    /// @inheritdoc IRewardRecompute
    function scan(
        BatchProof calldata batch,
        uint8 sourceKind,
        uint256 sourceId,
        uint256 target,
        PageProof[] calldata pages
    ) external {
        _checkBatch(batch);
        Scan storage sums = _scans[_scanKey(batch.batchIndex, sourceKind, sourceId, target)];
        for (uint256 i = 0; i < pages.length; i++) {
            uint256 index = pages[i].index;
            if (index != sums.next) revert NotNextPage(batch.batchIndex, index, sums.next);
            _checkPage(batch, pages[i]);
            if (index == target) sums.before = sums.total;
            sums.total += _weightOf(pages[i].page, sourceKind, sourceId);
            sums.next++;
        }
    }

    /// @inheritdoc IRewardRecompute
    function scanned(uint256 batchIndex, uint8 sourceKind, uint256 sourceId, uint256 target)
        external
        view
        returns (Scan memory)
    {
        return _scans[_scanKey(batchIndex, sourceKind, sourceId, target)];
    }

    /// @notice The fee weights of a source on a page that may be paid for. Reverts with BadPage as the nodes reject it.
    function weightOnPage(bytes calldata page, uint8 sourceKind, uint256 sourceId)
        external
        pure
        returns (uint256 weight)
    {
        if (_bodyBytes(page) > MAX_PAID_BODY) return 0;
        AttributionPage.Output[] memory outputs = AttributionPage.decode(page);
        for (uint256 i = 0; i < outputs.length; i++) {
            if (outputs[i].sourceKind == sourceKind && outputs[i].sourceId == sourceId) weight += outputs[i].feeWeight;
        }
    }

    function readOnPage(bytes calldata page, uint256 index) external pure returns (Reading memory reading) {
        if (_bodyBytes(page) > MAX_PAID_BODY) return reading;
        AttributionPage.Output[] memory outputs = AttributionPage.decode(page);
        if (index >= outputs.length) return reading;
        reading.exists = true;
        reading.output = outputs[index];
        for (uint256 i = 0; i < index; i++) {
            if (
                outputs[i].sourceKind == reading.output.sourceKind && outputs[i].sourceId == reading.output.sourceId
            ) reading.before += outputs[i].feeWeight;
        }
    }

    function _checkBatch(BatchProof calldata batch) internal view {
        _ledger().checkHeader(batch.batchIndex, batch.header);
        bytes32 given = batch.settlements.length == 0 ? bytes32(0) : keccak256(abi.encode(batch.settlements));
        if (given != batch.header.settlementsHash) revert WrongSettlements(batch.batchIndex);
    }

    function _checkPage(BatchProof calldata batch, PageProof calldata page) internal pure {
        bytes32 leaf = PagesTree.leaf(page.index, keccak256(page.page));
        if (!MerkleProof.verifyCalldata(page.path, batch.header.pagesRoot, leaf)) {
            revert WrongPage(batch.batchIndex, page.index);
        }
    }

    /// @dev The finished scan of all of the batch's pages.
    function _sums(BatchProof calldata batch, uint8 sourceKind, uint256 sourceId, uint256 target)
        internal
        view
        returns (Scan memory sums)
    {
        sums = _scans[_scanKey(batch.batchIndex, sourceKind, sourceId, target)];
        if (sums.next != batch.header.pageCount) {
            revert NotScanned(batch.batchIndex, sums.next, batch.header.pageCount);
        }
    }

    /// @dev An output that is on no page that counts doesn't exist.
    function _read(PageProof calldata page, uint256 index) internal view returns (Reading memory reading) {
        try this.readOnPage(page.page, index) returns (Reading memory read) {
            return read;
        } catch (bytes memory reason) {
            _requireBadPage(reason);
        }
    }

    function _weightOf(bytes calldata page, uint8 sourceKind, uint256 sourceId) private view returns (uint256) {
        try this.weightOnPage(page, sourceKind, sourceId) returns (uint256 weight) {
            return weight;
        } catch (bytes memory reason) {
            _requireBadPage(reason);
            return 0;
        }
    }

    /// @dev A call that was given too little gas fails too. It must not pass for a page that is malformed.
    function _requireBadPage(bytes memory reason) private pure {
        if (reason.length < 4 || bytes4(reason) != PageReader.BadPage.selector) revert Undecided();
    }

    function _bodyBytes(bytes calldata page) private pure returns (uint256) {
        if (page.length < 2) return 0;
        if (page[1] != 0x01) return page.length - 2;
        PageReader.Reader memory reader = PageReader.Reader(page, 2);
        return reader.uvarint(2 ** 53 - 1);
    }

    function _scanKey(uint256 batchIndex, uint8 sourceKind, uint256 sourceId, uint256 target)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(batchIndex, sourceKind, sourceId, target));
    }
}
