// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FastLzDecompress} from "./FastLzDecompress.sol";
import {PageReader} from "./PageReader.sol";

/// @title Pages of attribution batches, format 1 (docs/spec/attribution-batch.md), read as strictly as the nodes do.
/// @notice What decodes here is in the event log of every node, and the other way round: both follow the one table of rules.
library AttributionPage {
    using PageReader for PageReader.Reader;

    struct Output {
        uint256 modelId;
        uint8 sourceKind;
        uint256 sourceId;
        uint8 method;
        uint256 nonce;
        uint256 promptTokens;
        uint256 outputTokens;
        /// @dev Share in what the source settles with this batch; only the ratio counts. At most 2^128 - 1.
        uint256 feeWeight;
        bytes32 promptHash;
        bytes32 outputHash;
        uint256[] contributionIds;
        uint256[] weights;
    }

    /// @dev Ascending values that columns name by index; each has to be named.
    struct Dictionary {
        uint256[] values;
        bytes used;
    }

    struct Dictionaries {
        Dictionary models;
        uint256[] sourceKinds;
        Dictionary sources;
        Dictionary contributions;
    }

    uint256 internal constant MAX_OUTPUTS = 1_024;
    uint256 internal constant MAX_ROWS = 4_096;
    uint256 internal constant MAX_BODY_BYTES = 65_536;
    uint256 private constant MAX_SAFE_INTEGER = 2 ** 53 - 1;
    uint256 private constant MAX_TOKENS = type(uint32).max;
    uint256 private constant MAX_METHOD = 255;
    uint256 private constant MAX_SOURCE_KIND = 3;

    /// @notice All outputs of a page. @dev Reverts with BadPage for every page that the nodes reject.
    function decode(bytes memory page) internal pure returns (Output[] memory outputs) {
        PageReader.Reader memory reader = PageReader.Reader(_body(page), 0);
        uint256 size = reader.uvarint(MAX_SAFE_INTEGER);
        if (size == 0 || size > MAX_OUTPUTS) revert PageReader.BadPage("OUTPUT_COUNT");
        Dictionaries memory named;
        named.models = _dictionary(_ids(reader, size));
        _readSources(reader, size, named);
        named.contributions = _dictionary(_ids(reader, MAX_ROWS));
        outputs = new Output[](size);
        _readSettlementColumns(reader, outputs, named);
        _readColumns(reader, outputs, named.models);
        for (uint256 i = 0; i < size; i++) outputs[i].promptHash = reader.word();
        for (uint256 i = 0; i < size; i++) outputs[i].outputHash = reader.word();
        _readRows(reader, outputs, named.contributions);
        if (reader.offset != reader.data.length) revert PageReader.BadPage("TRAILING_BYTES");
        _checkUsed(named.models);
        _checkUsed(named.sources);
        _checkUsed(named.contributions);
    }

    /// @notice What the output is called everywhere.
    function outputId(Output memory output) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                output.modelId, output.sourceKind, output.sourceId, output.promptHash, output.outputHash, output.nonce
            )
        );
    }

    function _body(bytes memory page) private pure returns (bytes memory) {
        PageReader.Reader memory reader = PageReader.Reader(page, 0);
        if (reader.octet() != 1) revert PageReader.BadPage("UNKNOWN_VERSION");
        uint256 compression = reader.octet();
        if (compression > 1) revert PageReader.BadPage("BAD_COMPRESSION");
        uint256 length = compression == 1 ? reader.uvarint(MAX_SAFE_INTEGER) : page.length - 2;
        if (length > MAX_BODY_BYTES) revert PageReader.BadPage("TOO_LARGE");
        if (compression == 1) return FastLzDecompress.decompress(page, reader.offset, length);
        return reader.rest();
    }

    function _ids(PageReader.Reader memory reader, uint256 max) private pure returns (uint256[] memory ids) {
        uint256 count = reader.uvarint(MAX_SAFE_INTEGER);
        if (count > max) revert PageReader.BadPage("UNUSED_ENTRY");
        // No entry takes less than a byte: a count that the page can't hold must not ask for memory.
        if (count > reader.data.length - reader.offset) revert PageReader.BadPage("TRUNCATED");
        ids = new uint256[](count);
        uint256 next = 0;
        unchecked {
            for (uint256 i = 0; i < count; i++) {
                next += reader.uvarint(MAX_SAFE_INTEGER);
                if (next > MAX_SAFE_INTEGER) revert PageReader.BadPage("OUT_OF_RANGE");
                ids[i] = next++;
            }
        }
    }

    function _readSources(PageReader.Reader memory reader, uint256 max, Dictionaries memory named) private pure {
        uint256 count = reader.uvarint(MAX_SAFE_INTEGER);
        if (count > max) revert PageReader.BadPage("UNUSED_ENTRY");
        uint256[] memory kinds = new uint256[](count);
        uint256[] memory ids = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            kinds[i] = reader.uvarint(MAX_SAFE_INTEGER);
            if (kinds[i] == 0 || kinds[i] > MAX_SOURCE_KIND) revert PageReader.BadPage("BAD_KIND");
            ids[i] = reader.uvarint(MAX_SAFE_INTEGER);
            if (i > 0 && (kinds[i] < kinds[i - 1] || (kinds[i] == kinds[i - 1] && ids[i] <= ids[i - 1]))) {
                revert PageReader.BadPage("NOT_ASCENDING");
            }
        }
        named.sourceKinds = kinds;
        named.sources = _dictionary(ids);
    }

    /// @dev Fee unit, source, fee and row count: what a settlement is divided by.
    function _readSettlementColumns(
        PageReader.Reader memory reader,
        Output[] memory outputs,
        Dictionaries memory named
    ) private pure {
        uint256 feeUnit = reader.ubig();
        for (uint256 i = 0; i < outputs.length; i++) {
            uint256 index = _use(named.sources, reader.uvarint(MAX_SAFE_INTEGER));
            outputs[i].sourceKind = uint8(named.sourceKinds[index]);
            outputs[i].sourceId = named.sources.values[index];
        }
        uint256 divisor = 0;
        for (uint256 i = 0; i < outputs.length; i++) {
            uint256 fee = reader.ubig();
            divisor = _greatestCommonDivisor(divisor, fee);
            outputs[i].feeWeight = fee;
        }
        if (divisor == 0 ? feeUnit != 1 : divisor != 1 || feeUnit == 0) revert PageReader.BadPage("BAD_FEE_UNIT");
        for (uint256 i = 0; i < outputs.length; i++) {
            // Both factors are below 2^128: the product can't overflow.
            uint256 weight = outputs[i].feeWeight * feeUnit;
            if (weight > type(uint128).max) revert PageReader.BadPage("OUT_OF_RANGE");
            outputs[i].feeWeight = weight;
        }
        uint256 rows = 0;
        for (uint256 i = 0; i < outputs.length; i++) {
            uint256 count = reader.uvarint(MAX_SAFE_INTEGER);
            rows += count;
            if (rows > MAX_ROWS) revert PageReader.BadPage("ROW_COUNT");
            outputs[i].contributionIds = new uint256[](count);
            outputs[i].weights = new uint256[](count);
        }
    }

    function _readColumns(PageReader.Reader memory reader, Output[] memory outputs, Dictionary memory models)
        private
        pure
    {
        uint256 size = outputs.length;
        for (uint256 i = 0; i < size; i++) {
            outputs[i].modelId = models.values[_use(models, reader.uvarint(MAX_SAFE_INTEGER))];
        }
        for (uint256 i = 0; i < size; i++) {
            uint256 method = reader.uvarint(MAX_SAFE_INTEGER);
            if (method == 0 || method > MAX_METHOD) revert PageReader.BadPage("BAD_METHOD");
            outputs[i].method = uint8(method);
        }
        for (uint256 i = 0; i < size; i++) outputs[i].nonce = reader.uvarint(MAX_SAFE_INTEGER);
        for (uint256 i = 0; i < size; i++) outputs[i].promptTokens = reader.uvarint(MAX_TOKENS);
        for (uint256 i = 0; i < size; i++) outputs[i].outputTokens = reader.uvarint(MAX_TOKENS);
    }

    /// @dev Unchecked, because rows are what a page has thousands of: indexes stay below 2^53 plus the number of rows.
    function _readRows(PageReader.Reader memory reader, Output[] memory outputs, Dictionary memory contributions)
        private
        pure
    {
        unchecked {
            uint256[] memory values = contributions.values;
            bytes memory used = contributions.used;
            for (uint256 i = 0; i < outputs.length; i++) {
                uint256[] memory ids = outputs[i].contributionIds;
                uint256 size = ids.length;
                uint256 index = 0;
                for (uint256 row = 0; row < size; row++) {
                    index += reader.uvarint(MAX_SAFE_INTEGER);
                    if (index >= values.length) {
                        revert PageReader.BadPage(index > MAX_SAFE_INTEGER ? bytes32("OUT_OF_RANGE") : bytes32("BAD_INDEX"));
                    }
                    used[index] = 0x01;
                    ids[row] = values[index++];
                }
            }
            for (uint256 i = 0; i < outputs.length; i++) {
                uint256[] memory weights = outputs[i].weights;
                uint256 size = weights.length;
                for (uint256 row = 0; row < size; row++) {
                    uint256 weight = reader.uvarint(MAX_SAFE_INTEGER);
                    if (weight == 0) revert PageReader.BadPage("ZERO_WEIGHT");
                    weights[row] = weight;
                }
            }
        }
    }

    function _dictionary(uint256[] memory values) private pure returns (Dictionary memory) {
        return Dictionary(values, new bytes(values.length));
    }

    function _use(Dictionary memory dictionary, uint256 index) private pure returns (uint256) {
        if (index >= dictionary.values.length) revert PageReader.BadPage("BAD_INDEX");
        dictionary.used[index] = 0x01;
        return index;
    }

    function _checkUsed(Dictionary memory dictionary) private pure {
        bytes memory used = dictionary.used;
        for (uint256 i = 0; i < used.length; i++) {
            if (used[i] == 0) revert PageReader.BadPage("UNUSED_ENTRY");
        }
    }

    function _greatestCommonDivisor(uint256 a, uint256 b) private pure returns (uint256) {
        while (b != 0 && a != 1) (a, b) = (b, a % b);
        return a;
    }
}
