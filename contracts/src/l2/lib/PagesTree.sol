// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title The Merkle tree over a batch's pages, in the shape of OpenZeppelin's SimpleMerkleTree without sorted leaves.
library PagesTree {
    function leaf(uint256 index, bytes32 pageHash) internal pure returns (bytes32) {
        // Hashed twice, so that no leaf can pass for an inner node.
        return keccak256(bytes.concat(keccak256(abi.encode(index, pageHash))));
    }

    /// @dev The tree is an array: node i has the children 2i + 1 and 2i + 2, leaf i is at the end minus i.
    function root(bytes[] calldata pages) internal pure returns (bytes32) {
        uint256 size = 2 * pages.length - 1;
        bytes32[] memory tree = new bytes32[](size);
        for (uint256 i = 0; i < pages.length; i++) tree[size - 1 - i] = leaf(i, keccak256(pages[i]));
        for (uint256 i = pages.length - 1; i > 0; i--) {
            tree[i - 1] = Hashes.commutativeKeccak256(tree[2 * i - 1], tree[2 * i]);
        }
        return tree[0];
    }
}
