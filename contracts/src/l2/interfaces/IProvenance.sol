// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Deploys generated contracts through CREATE2 and records where they came from, in one transaction.
interface IProvenance {
    struct Origin {
        uint256 modelId; // the adapter or base that wrote the source
        bytes32 outputId; // the recorded output (attribution ledger)
        bytes32 promptHash; // sha256 of the prompt
        bytes32 sourceHash; // sha256 of the source text
        bytes32 compilerHash; // sha256 of the compiler's standard JSON input
    }

    struct Deployment {
        address deployer;
        uint64 deployedAt;
        bytes32 codeHash;
        Origin origin;
    }

    event ContractDeployed(
        address indexed deployed,
        address indexed deployer,
        uint256 indexed modelId,
        bytes32 outputId,
        bytes32 promptHash,
        bytes32 sourceHash,
        bytes32 compilerHash,
        bytes32 codeHash
    );

    error UnknownModel(uint256 modelId);
    error EmptyCode();
    error ZeroHash();
    error DeployFailed();

    /// @param salt mixed with the caller's address, so that nobody can take another's address
    function deploy(bytes calldata initCode, bytes32 salt, Origin calldata origin)
        external
        payable
        returns (address deployed);
    function predict(address deployer, bytes32 salt, bytes32 initCodeHash) external view returns (address);
    function deployment(address deployed) external view returns (Deployment memory);
}
