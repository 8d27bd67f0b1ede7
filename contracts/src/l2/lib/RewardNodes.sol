// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ChunkTree} from "./ChunkTree.sol";

/// @title The nodes of an epoch's Merkle tree, as OpenZeppelin's StandardMerkleTree lays them out.
/// @notice 2n - 1 words for n accounts, 64 to a chunk: the root first, node i above nodes 2i + 1 and 2i + 2, the last n words
///         are the leaves, strictly descending. Committed to word by word, so that a leaf that nobody is shown can't hide
///         under the root.
library RewardNodes {
    uint256 internal constant CHUNK_WORDS = 64;

    struct Nodes {
        bytes32 root;
        uint256 accounts;
    }

    struct Chunk {
        uint256 index;
        bytes words;
        bytes32[] proof;
    }

    error MisshapenNodes(uint256 index, uint256 length);
    error NoNode(uint256 node);

    function size(Nodes memory nodes) internal pure returns (uint256) {
        return 2 * nodes.accounts - 1;
    }

    function chunkCount(Nodes memory nodes) internal pure returns (uint256) {
        return (size(nodes) + CHUNK_WORDS - 1) / CHUNK_WORDS;
    }

    /// @notice Reverts unless `words` are the nodes' chunk at `index`.
    function check(Nodes memory nodes, uint256 index, bytes calldata words, bytes32[] calldata proof) internal pure {
        uint256 chunks = chunkCount(nodes);
        ChunkTree.check(nodes.root, chunks, index, words, proof);
        uint256 expected = index + 1 < chunks ? CHUNK_WORDS : size(nodes) - index * CHUNK_WORDS;
        if (words.length != 32 * expected) revert MisshapenNodes(index, words.length);
    }

    /// @notice The word of a node, out of the chunk that it stands in.
    function word(Nodes memory nodes, uint256 node, Chunk calldata chunk) internal pure returns (bytes32) {
        if (node >= size(nodes) || node / CHUNK_WORDS != chunk.index) revert NoNode(node);
        check(nodes, chunk.index, chunk.words, chunk.proof);
        uint256 from = 32 * (node % CHUNK_WORDS);
        return bytes32(chunk.words[from:from + 32]);
    }

    /// @notice Whether a node isn't the hash of its children; reverts for leaves, which have none.
    function nodeIsWrong(Nodes memory nodes, uint256 node, Chunk[3] calldata chunks) internal pure returns (bool) {
        bytes32 above = word(nodes, node, chunks[0]);
        bytes32 left = word(nodes, 2 * node + 1, chunks[1]);
        bytes32 right = word(nodes, 2 * node + 2, chunks[2]);
        return above != Hashes.commutativeKeccak256(left, right);
    }

    /// @notice Whether the leaf at `node` isn't above the one after it.
    function orderIsWrong(Nodes memory nodes, uint256 node, Chunk[2] calldata chunks) internal pure returns (bool) {
        if (node + 1 < nodes.accounts) revert NoNode(node);
        return word(nodes, node, chunks[0]) <= word(nodes, node + 1, chunks[1]);
    }

    /// @notice Whether no leaf is `leaf`, which would stand between nodes `place` - 1 and `place`.
    /// @param chunks of the two nodes; ignored for a node that would lie outside of the leaves
    function isMissing(Nodes memory nodes, bytes32 leaf, uint256 place, Chunk[2] calldata chunks)
        internal
        pure
        returns (bool)
    {
        if (place + 1 < nodes.accounts || place > size(nodes)) revert NoNode(place);
        bool first = place + 1 == nodes.accounts;
        if (!first && word(nodes, place - 1, chunks[0]) <= leaf) return false;
        return place == size(nodes) || word(nodes, place, chunks[1]) < leaf;
    }
}
