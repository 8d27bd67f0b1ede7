// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The binary tree over the chunks of a long byte string.
/// @notice Positional: a chunk's index says where it stands, so no index can have two. Missing chunks on the right are zero.
library ChunkTree {
    error NotInTree(uint256 index);

    /// @notice Reverts unless `chunk` is the one at `index` of `count`.
    function check(bytes32 root, uint256 count, uint256 index, bytes calldata chunk, bytes32[] calldata proof)
        internal
        pure
    {
        if (index >= count || 1 << proof.length < count || (proof.length != 0 && 1 << (proof.length - 1) >= count)) {
            revert NotInTree(index);
        }
        // Hashed twice, so that no chunk can pass for an inner node.
        bytes32 node = keccak256(bytes.concat(keccak256(chunk)));
        for (uint256 level = 0; level < proof.length; level++) {
            node = (index >> level) & 1 == 0
                ? keccak256(bytes.concat(node, proof[level]))
                : keccak256(bytes.concat(proof[level], node));
        }
        if (node != root) revert NotInTree(index);
    }
}
