// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ChunkTree} from "./ChunkTree.sol";

/// @title The trace of an epoch: why each account is owed what its leaf says (docs/spec/rewards-ledger.md).
/// @notice Records of 48 bytes, account(20) receipt(12) amount(16), strictly ascending by their first 32 bytes, 64 to a chunk.
///         A chunk starts with three numbers of 16 bytes, all of what stands before it: the total of its first record's
///         account, the total of everything, and how many accounts have begun.
library RewardTrace {
    uint256 internal constant CHUNK_RECORDS = 64;
    uint256 private constant RECORD_BYTES = 48;
    uint256 private constant HEADER_BYTES = 48;
    uint256 private constant RECEIPT_BITS = 96;

    struct Trace {
        bytes32 root;
        uint256 records;
    }

    struct Before {
        uint256 ofAccount;
        uint256 ofAll;
        uint256 accounts;
    }

    /// @notice One chunk and, where an answer needs it, the one after.
    struct Window {
        uint256 index;
        bytes chunk;
        bytes32[] proof;
        bytes next;
        bytes32[] nextProof;
    }

    error MisshapenChunk(uint256 index, uint256 length);
    /// @notice The window doesn't reach to where the key is or would be.
    error NotShown(uint256 key);

    function keyOf(address account, uint96 receipt) internal pure returns (uint256) {
        return (uint256(uint160(account)) << RECEIPT_BITS) | receipt;
    }

    function chunkCount(Trace memory trace) internal pure returns (uint256) {
        return (trace.records + CHUNK_RECORDS - 1) / CHUNK_RECORDS;
    }

    /// @notice Reverts unless `chunk` is the trace's chunk at `index`.
    function check(Trace memory trace, uint256 index, bytes calldata chunk, bytes32[] calldata proof) internal pure {
        uint256 chunks = chunkCount(trace);
        ChunkTree.check(trace.root, chunks, index, chunk, proof);
        uint256 size = index + 1 < chunks ? CHUNK_RECORDS : trace.records - index * CHUNK_RECORDS;
        if (chunk.length != HEADER_BYTES + size * RECORD_BYTES) revert MisshapenChunk(index, chunk.length);
    }

    /// @notice What the trace states for a key; 0 when the window shows that it has no such record.
    function amountAt(Trace memory trace, Window calldata window, uint256 key) internal pure returns (uint256) {
        if (trace.records == 0) return 0;
        check(trace, window.index, window.chunk, window.proof);
        uint256 size = sizeOf(window.chunk);
        for (uint256 i = 0; i < size; i++) {
            uint256 found = keyAt(window.chunk, i);
            if (found == key) return amountOf(window.chunk, i);
            if (found > key) {
                if (i == 0 && window.index != 0) revert NotShown(key);
                return 0;
            }
        }
        if (!_ends(trace, window) && keyAt(window.next, 0) <= key) revert NotShown(key);
        return 0;
    }

    /// @notice The account's total after its last record; 0 when the window shows that it has none.
    function totalOf(Trace memory trace, Window calldata window, address account) internal pure returns (uint256 total) {
        if (trace.records == 0) return 0;
        check(trace, window.index, window.chunk, window.proof);
        uint256 size = sizeOf(window.chunk);
        for (uint256 i = 0; i < size; i++) {
            address found = accountAt(window.chunk, i);
            if (found > account) {
                if (i == 0 && window.index != 0) revert NotShown(keyOf(account, 0));
                return total;
            }
            if (found < account) continue;
            if (i == 0) total = _before(window.chunk).ofAccount;
            total += amountOf(window.chunk, i);
        }
        if (!_ends(trace, window) && accountAt(window.next, 0) <= account) revert NotShown(keyOf(account, 0));
    }

    /// @notice Whether a chunk contradicts itself, or what the epoch says of the whole where it is the first or the last.
    function chunkIsWrong(Trace memory trace, uint256 index, bytes calldata chunk, uint256 total, uint256 accounts)
        internal
        pure
        returns (bool)
    {
        Before memory then = _before(chunk);
        if (index == 0 && (then.ofAccount != 0 || then.ofAll != 0 || then.accounts != 0)) return true;
        uint256 last = 0;
        uint256 size = sizeOf(chunk);
        for (uint256 i = 0; i < size; i++) {
            uint256 key = keyAt(chunk, i);
            if (key <= last || amountOf(chunk, i) == 0) return true;
            last = key;
        }
        if (index + 1 < chunkCount(trace)) return false;
        Before memory end = _after(chunk, address(0));
        return end.ofAll != total || end.accounts != accounts;
    }

    /// @notice Whether `next` doesn't carry on where `chunk` ends.
    function seamIsWrong(bytes calldata chunk, bytes calldata next) internal pure returns (bool) {
        if (keyAt(next, 0) <= keyAt(chunk, sizeOf(chunk) - 1)) return true;
        Before memory stated = _before(next);
        Before memory end = _after(chunk, accountAt(next, 0));
        return stated.ofAccount != end.ofAccount || stated.ofAll != end.ofAll || stated.accounts != end.accounts;
    }

    /// @dev The totals behind a chunk, with that of `account`.
    function _after(bytes calldata chunk, address account) private pure returns (Before memory totals) {
        totals = _before(chunk);
        // Amounts are positive, so an account that has no total before the chunk begins in it.
        if (totals.ofAccount == 0) totals.accounts++;
        if (accountAt(chunk, 0) != account) totals.ofAccount = 0;
        uint256 size = sizeOf(chunk);
        for (uint256 i = 0; i < size; i++) {
            uint256 amount = amountOf(chunk, i);
            totals.ofAll += amount;
            if (accountAt(chunk, i) == account) totals.ofAccount += amount;
            if (i != 0 && accountAt(chunk, i) != accountAt(chunk, i - 1)) totals.accounts++;
        }
    }

    function sizeOf(bytes calldata chunk) internal pure returns (uint256) {
        return (chunk.length - HEADER_BYTES) / RECORD_BYTES;
    }

    function keyAt(bytes calldata chunk, uint256 i) internal pure returns (uint256) {
        uint256 from = HEADER_BYTES + i * RECORD_BYTES;
        return uint256(bytes32(chunk[from:from + 32]));
    }

    function accountAt(bytes calldata chunk, uint256 i) internal pure returns (address) {
        return address(uint160(keyAt(chunk, i) >> RECEIPT_BITS));
    }

    function amountOf(bytes calldata chunk, uint256 i) internal pure returns (uint256) {
        uint256 from = HEADER_BYTES + i * RECORD_BYTES + 32;
        return uint128(bytes16(chunk[from:from + 16]));
    }

    function _before(bytes calldata chunk) private pure returns (Before memory) {
        return Before(uint128(bytes16(chunk[:16])), uint128(bytes16(chunk[16:32])), uint128(bytes16(chunk[32:48])));
    }

    /// @dev Whether the window's chunk is the last; if not, the next one has been checked.
    function _ends(Trace memory trace, Window calldata window) private pure returns (bool) {
        if (window.index + 1 == chunkCount(trace)) return true;
        check(trace, window.index + 1, window.next, window.nextProof);
        return false;
    }
}
