// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The hash chain over all attribution batches.
/// @notice The batch itself is calldata of the top-level transaction (to this contract or to Jobs); chain readers take it
///         from there and check it against the hash in the event. Format: docs/spec/attribution-batch.md.
interface IAttributionLedger {
    /// @param head keccak256(abi.encode(previousHead, batchIndex, version, count, batchHash))
    event BatchAppended(
        uint256 indexed batchIndex,
        address indexed runner,
        uint8 version,
        uint32 count,
        bytes32 batchHash,
        bytes32 head
    );

    error UnknownBatchVersion(uint8 version);
    error NotBondedRunner(address caller);
    error NotJobs(address caller);
    error NotTopLevel(address caller);
    error EmptyBatch();

    /// @notice A bonded runner appends directly, as a top-level call.
    function append(uint8 version, uint32 count, bytes calldata batch) external returns (uint256 batchIndex);
    /// @notice Only Jobs, which has checked that it is the top-level call of a bonded runner.
    function appendFor(address runner, uint8 version, uint32 count, bytes calldata batch)
        external
        returns (uint256 batchIndex);

    function head() external view returns (bytes32);
    function batchCount() external view returns (uint256);
    /// @notice The head after batch `batchIndex`; O(1) storage per batch.
    function headAt(uint256 batchIndex) external view returns (bytes32);
}
