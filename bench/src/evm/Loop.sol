// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Arithmetic and nothing else: the interpreter alone.
contract Loop {
    event Done(uint256 value);

    function run(uint256 seed, uint256 rounds) external {
        uint256 x = seed;
        unchecked {
            for (uint256 i = 0; i < rounds; i++) {
                x = x * 6364136223846793005 + (x >> 7) + i;
            }
        }
        emit Done(x);
    }
}
