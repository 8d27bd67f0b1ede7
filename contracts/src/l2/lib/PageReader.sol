// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The numbers of attribution pages: LEB128, one form per value.
/// @dev Every byte of a page comes through here. Reading words by assembly and counting unchecked (nothing here can overflow:
///      offsets stay below a page's length) takes a seventh off the gas of a proof.
library PageReader {
    struct Reader {
        bytes data;
        uint256 offset;
    }

    /// @notice The page is not one of format 1; the code is that of the table in the spec, as text.
    error BadPage(bytes32 code);

    function octet(Reader memory reader) internal pure returns (uint256) {
        uint256 offset = reader.offset;
        if (offset >= reader.data.length) revert BadPage("TRUNCATED");
        reader.offset = offset + 1;
        return _word(reader.data, offset) >> 248;
    }

    /// @notice At most `max`, which is at most 2^53 - 1.
    function uvarint(Reader memory reader, uint256 max) internal pure returns (uint256 value) {
        // The eighth byte holds bits 49 to 52.
        value = _leb128(reader, 49, 15);
        if (value > max) revert BadPage("OUT_OF_RANGE");
    }

    /// @notice At most 2^128 - 1.
    function ubig(Reader memory reader) internal pure returns (uint256) {
        // The nineteenth byte holds bits 126 and 127.
        return _leb128(reader, 126, 3);
    }

    function word(Reader memory reader) internal pure returns (bytes32) {
        uint256 offset = reader.offset;
        if (offset + 32 > reader.data.length) revert BadPage("TRUNCATED");
        reader.offset = offset + 32;
        return bytes32(_word(reader.data, offset));
    }

    /// @notice Everything that was not read yet.
    function rest(Reader memory reader) internal pure returns (bytes memory left) {
        bytes memory data = reader.data;
        uint256 offset = reader.offset;
        uint256 length = data.length - offset;
        left = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(left, 32), add(add(data, 32), offset), length)
        }
    }

    /// @param lastShift of the last byte that may be there
    /// @param lastByte the most that it may hold
    function _leb128(Reader memory reader, uint256 lastShift, uint256 lastByte) private pure returns (uint256 value) {
        unchecked {
            bytes memory data = reader.data;
            uint256 offset = reader.offset;
            uint256 end = data.length;
            if (offset >= end) revert BadPage("TRUNCATED");
            // No number is longer than 19 bytes, so one word holds it.
            uint256 bytes_ = _word(data, offset++);
            uint256 next = bytes_ >> 248;
            value = next & 127;
            for (uint256 shift = 7; next > 127; shift += 7) {
                if (offset++ == end) revert BadPage("TRUNCATED");
                bytes_ <<= 8;
                next = bytes_ >> 248;
                if (shift == lastShift && next > lastByte) revert BadPage("OUT_OF_RANGE");
                if (next == 0) revert BadPage("NOT_MINIMAL");
                value |= (next & 127) << shift;
            }
            reader.offset = offset;
        }
    }

    /// @dev 32 bytes from `offset` on; what lies behind the end is not looked at.
    function _word(bytes memory data, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), offset))
        }
    }
}
