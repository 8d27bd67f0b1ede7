// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAttributionLedger} from "../interfaces/IAttributionLedger.sol";
import {AttributionPage} from "../lib/AttributionPage.sol";
import {PagesTree} from "../lib/PagesTree.sol";

/// @title Any single output, and any single attribution, shown against the ledger's state.
/// @notice The ledger keeps one word a batch, everything else comes with the call. Other contracts and disputes call it; `proveAttribution` of the client makes the arguments.
abstract contract AttributionProofs is IAttributionLedger {
    /// @inheritdoc IAttributionLedger
    function proveOutput(Place calldata place)
        public
        view
        returns (bytes32 outputId, AttributionPage.Output memory output)
    {
        checkHeader(place.batchIndex, place.header);
        bytes32 leaf = PagesTree.leaf(place.pageIndex, keccak256(place.page));
        if (!MerkleProof.verifyCalldata(place.path, place.header.pagesRoot, leaf)) {
            revert BadPath(place.batchIndex, place.pageIndex);
        }
        AttributionPage.Output[] memory outputs = AttributionPage.decode(place.page);
        if (place.outputIndex >= outputs.length) revert NoOutput(place.outputIndex, outputs.length);
        output = outputs[place.outputIndex];
        outputId = AttributionPage.outputId(output);
    }

    /// @inheritdoc IAttributionLedger
    function proveAttribution(Place calldata place, uint256 rowIndex)
        external
        view
        returns (bytes32 outputId, uint256 contributionId, uint256 weight)
    {
        AttributionPage.Output memory output;
        (outputId, output) = proveOutput(place);
        if (rowIndex >= output.weights.length) revert NoRow(rowIndex, output.weights.length);
        return (outputId, output.contributionIds[rowIndex], output.weights[rowIndex]);
    }

    /// @inheritdoc IAttributionLedger
    function checkHeader(uint256 batchIndex, BatchHeader calldata header) public view {
        bytes32 given = keccak256(abi.encode(batchIndex, header));
        if (headAt(batchIndex) != given) revert UnknownBatch(batchIndex, given);
    }

    /// @inheritdoc IAttributionLedger
    function headAt(uint256 batchIndex) public view virtual returns (bytes32);
}
