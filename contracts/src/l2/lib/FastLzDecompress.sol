// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PageReader} from "./PageReader.sol";

/// @title FastLZ level 1, strictly: input that doesn't make exactly the announced bytes reverts.
library FastLzDecompress {
    /// @param input from `offset` on the compressed bytes
    function decompress(bytes memory input, uint256 offset, uint256 length) internal pure returns (bytes memory output) {
        output = new bytes(length);
        uint256 written = 0;
        while (offset < input.length) {
            uint256 instruction = uint8(input[offset++]);
            uint256 kind = instruction >> 5;
            if (kind == 0) {
                uint256 count = (instruction & 31) + 1;
                if (offset + count > input.length || written + count > length) revert PageReader.BadPage("BAD_COMPRESSION");
                for (uint256 i = 0; i < count; i++) output[written++] = input[offset++];
            } else {
                uint256 operands = kind == 7 ? 2 : 1;
                if (offset + operands > input.length) revert PageReader.BadPage("BAD_COMPRESSION");
                uint256 count = kind == 7 ? 9 + uint8(input[offset++]) : kind + 2;
                uint256 distance = (instruction & 31) * 256 + uint8(input[offset++]) + 1;
                if (distance > written || written + count > length) revert PageReader.BadPage("BAD_COMPRESSION");
                // Byte by byte: a copy may read what it writes.
                for (uint256 i = 0; i < count; i++) {
                    output[written] = output[written - distance];
                    written++;
                }
            }
        }
        if (written != length) revert PageReader.BadPage("BAD_COMPRESSION");
    }
}
