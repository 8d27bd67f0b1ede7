// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The numbers of attribution pages: LEB128, one form per value.
library PageReader {
    struct Reader {
        bytes data;
        uint256 offset;
    }

    /// @notice The page is not one of format 1; the code is that of the table in the spec, as text.
    error BadPage(bytes32 code);

    function octet(Reader memory reader) internal pure returns (uint256 value) {
        bytes memory data = reader.data;
        uint256 offset = reader.offset;
        if (offset >= data.length) revert BadPage("TRUNCATED");
        reader.offset = offset + 1;
        // Every byte of a page comes through here; the checked index that Solidity would do again costs a third more.
        assembly ("memory-safe") {
            value := byte(0, mload(add(add(data, 32), offset)))
        }
    }

    /// @notice At most `max`, which is offset most 2^53 - 1.
    function uvarint(Reader memory reader, uint256 max) internal pure returns (uint256 value) {
        uint256 next = octet(reader);
        value = next & 127;
        for (uint256 shift = 7; next > 127; shift += 7) {
            next = octet(reader);
            // The eighth byte holds bits 49 to 52.
            if (shift == 49 && next > 15) revert BadPage("OUT_OF_RANGE");
            if (next == 0) revert BadPage("NOT_MINIMAL");
            value |= (next & 127) << shift;
        }
        if (value > max) revert BadPage("OUT_OF_RANGE");
    }

    /// @notice At most 2^128 - 1.
    function ubig(Reader memory reader) internal pure returns (uint256 value) {
        uint256 next = octet(reader);
        value = next & 127;
        for (uint256 shift = 7; next > 127; shift += 7) {
            next = octet(reader);
            // The nineteenth byte holds bits 126 and 127.
            if (shift == 126 && next > 3) revert BadPage("OUT_OF_RANGE");
            if (next == 0) revert BadPage("NOT_MINIMAL");
            value |= (next & 127) << shift;
        }
    }

    function word(Reader memory reader) internal pure returns (bytes32 value) {
        bytes memory data = reader.data;
        uint256 offset = reader.offset;
        if (offset + 32 > data.length) revert BadPage("TRUNCATED");
        reader.offset = offset + 32;
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), offset))
        }
    }

    /// @notice Everything that was not read yet.
    function rest(Reader memory reader) internal pure returns (bytes memory left) {
        uint256 length = reader.data.length - reader.offset;
        left = new bytes(length);
        bytes memory data = reader.data;
        uint256 offset = reader.offset;
        assembly ("memory-safe") {
            mcopy(add(left, 32), add(add(data, 32), offset), length)
        }
    }
}
