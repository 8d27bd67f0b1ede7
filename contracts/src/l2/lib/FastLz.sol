// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title How long data gets under FastLZ level 1, which the OP Stack estimates L1 data with (specs: fjord/exec-engine.md).
/// @notice Only the length is computed. The node computes the same in node/src/execution/fastLz.ts; a test compares them.
library FastLz {
    /// @dev Shorter data is not searched for matches; the last bytes of longer data neither.
    uint256 private constant TAIL = 13;
    uint256 private constant MAX_DISTANCE = 0x1fff;
    uint256 private constant MAX_MATCH = 262;

    /// @dev Positions of the last occurrence, by the hash of 3 bytes: 8192 of 32 bits, 8 in a word. One word each would cost
    ///      155,000 gas for the memory alone.
    struct Table {
        uint256[1024] words;
    }

    function compressedLength(bytes memory data) internal pure returns (uint256 size) {
        uint256 anchor = 0;
        if (data.length > TAIL) (size, anchor) = _matches(data, data.length - TAIL);
        unchecked {
            return size + _literals(data.length - anchor);
        }
    }

    /// @return size of everything before `anchor`
    function _matches(bytes memory data, uint256 limit) private pure returns (uint256 size, uint256 anchor) {
        Table memory table;
        uint256 position = 2;
        // Positions and sizes are below the length of what memory can hold.
        unchecked {
            while (position < limit) {
                uint256 found;
                uint256 distance;
                (found, distance) = _search(table, data, position, limit);
                if (found == limit) break;
                if (found > anchor) size += _literals(found - anchor);
                uint256 length = _matchLength(data, found, distance, limit);
                size += _matchSize(length);
                position = found + length;
                _swap(table, _hash(_sequence(data, position)), position);
                position++;
                _swap(table, _hash(_sequence(data, position)), position);
                position++;
                anchor = position;
            }
        }
    }

    /// @return found the first position from `from` on whose 3 bytes stood before, or `limit`
    /// @return distance how far before
    function _search(Table memory table, bytes memory data, uint256 from, uint256 limit)
        private
        pure
        returns (uint256 found, uint256 distance)
    {
        unchecked {
            for (found = from; found < limit; found++) {
                uint256 sequence = _sequence(data, found);
                uint256 earlier = _swap(table, _hash(sequence), found);
                distance = found - earlier;
                if (distance <= MAX_DISTANCE && sequence == _sequence(data, earlier)) {
                    // As in the reference, a match at the last searched position is one literal more.
                    return found + 1 < limit ? (found, distance) : (limit, 0);
                }
            }
            return (limit, 0);
        }
    }

    /// @dev Bytes that are equal behind the first three, and the one that ends the match.
    function _matchLength(bytes memory data, uint256 position, uint256 distance, uint256 limit)
        private
        pure
        returns (uint256 length)
    {
        unchecked {
            uint256 end = limit + 9;
            for (uint256 index = position + 3; index < end; index++) {
                length++;
                if (_byte(data, index) != _byte(data, index - distance)) break;
            }
        }
    }

    function _literals(uint256 count) private pure returns (uint256) {
        unchecked {
            uint256 rest = count % 32;
            return 33 * (count / 32) + (rest == 0 ? 0 : rest + 1);
        }
    }

    function _matchSize(uint256 length) private pure returns (uint256) {
        unchecked {
            length--;
            return 3 * (length / MAX_MATCH) + (length % MAX_MATCH >= 6 ? 3 : 2);
        }
    }

    /// @dev Writes a position and returns the one that stood there.
    function _swap(Table memory table, uint256 slot, uint256 position) private pure returns (uint256 earlier) {
        unchecked {
            uint256 shift = (slot & 7) << 5;
            uint256 word = table.words[slot >> 3];
            earlier = uint32(word >> shift);
            table.words[slot >> 3] = word ^ ((earlier ^ position) << shift);
        }
    }

    function _hash(uint256 sequence) private pure returns (uint256) {
        unchecked {
            return (uint32(2654435769 * sequence) >> 19) & 0x1fff;
        }
    }

    /// @dev Three bytes as a little-endian number.
    function _sequence(bytes memory data, uint256 index) private pure returns (uint256) {
        uint256 bigEndian = _load(data, index) >> 232;
        return ((bigEndian & 0xff) << 16) | (bigEndian & 0xff00) | (bigEndian >> 16);
    }

    function _byte(bytes memory data, uint256 index) private pure returns (uint256) {
        return _load(data, index) >> 248;
    }

    /// @dev 32 bytes from `index` on; callers use only those inside of `data`. Each byte is looked at several times, so that
    ///      checked access to single bytes would be most of the cost.
    function _load(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), index))
        }
    }
}
