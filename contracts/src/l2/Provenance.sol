// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IProvenance} from "./interfaces/IProvenance.sol";

/// @title Deploys generated contracts through CREATE2 and records where they came from, in one transaction.
/// @notice The constructor of a deployed contract sees this contract as its msg.sender: generated code that needs an
///         owner has to take it as a constructor argument.
contract Provenance is IProvenance, Initializable {
    IModels public models;
    mapping(address deployed => Deployment) private _deployments;

    constructor() {
        _disableInitializers();
    }

    function initialize(IModels models_) external initializer {
        models = models_;
    }

    /// @inheritdoc IProvenance
    /// @dev DeployFailed: the address has code already, or the constructor left none. A constructor's own revert reason
    ///      is passed on, because it says more than DeployFailed would (OpenZeppelin's FailedDeployment when it has none).
    function deploy(bytes calldata initCode, bytes32 salt, Origin calldata origin)
        external
        payable
        returns (address deployed)
    {
        if (initCode.length == 0) revert EmptyCode();
        if (!models.exists(origin.modelId)) revert UnknownModel(origin.modelId);
        if (
            origin.outputId == bytes32(0) || origin.promptHash == bytes32(0) || origin.sourceHash == bytes32(0)
                || origin.compilerHash == bytes32(0)
        ) revert ZeroHash();
        if (predict(msg.sender, salt, keccak256(initCode)).code.length != 0) revert DeployFailed();

        deployed = Create2.deploy(msg.value, _saltOf(msg.sender, salt), initCode);
        if (deployed.code.length == 0) revert DeployFailed();
        bytes32 codeHash = deployed.codehash;
        _deployments[deployed] = Deployment({
            deployer: msg.sender,
            deployedAt: uint64(block.timestamp),
            codeHash: codeHash,
            origin: origin
        });
        emit ContractDeployed(
            deployed,
            msg.sender,
            origin.modelId,
            origin.outputId,
            origin.promptHash,
            origin.sourceHash,
            origin.compilerHash,
            codeHash
        );
    }

    /// @inheritdoc IProvenance
    function predict(address deployer, bytes32 salt, bytes32 initCodeHash) public view returns (address) {
        return Create2.computeAddress(_saltOf(deployer, salt), initCodeHash);
    }

    /// @inheritdoc IProvenance
    /// @dev All zero for an address that was not deployed here.
    function deployment(address deployed) external view returns (Deployment memory) {
        return _deployments[deployed];
    }

    function _saltOf(address deployer, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(deployer, salt));
    }
}
