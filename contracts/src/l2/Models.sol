// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Text} from "./lib/Text.sol";

/// @title Base models and the adapters trained on them: lineage, evaluations, price.
/// @dev Evaluations are events; storage keeps only what `deploy` has to know. Nothing here is governed: no owner.
contract Models is IModels, Initializable {
    /// @inheritdoc IModels
    uint256 public constant MAX_LINE = 8;

    using Checkpoints for Checkpoints.Trace160;

    /// @dev The suite that shows whether a model forgot what its base could do.
    bytes32 private constant GENERAL = "general";

    IStaking public staking;
    address public jobs;
    uint256 public modelCount;
    mapping(uint256 modelId => Model) private _models;
    mapping(bytes32 weightsHash => uint256 modelId) private _byWeights;
    mapping(uint256 modelId => bool) private _generalEvaluated;
    /// @dev Owners by block number, for disputes about what was settled long ago.
    mapping(uint256 modelId => Checkpoints.Trace160) private _owners;

    constructor() {
        _disableInitializers();
    }

    function initialize(IStaking staking_, address jobs_) external initializer {
        staking = staking_;
        jobs = jobs_;
    }

    /// @inheritdoc IModels
    /// @dev Deployed at once when a price is given; with both prices zero the owner deploys it later.
    function registerBaseModel(
        string calldata name,
        string calldata architecture,
        bytes32 weightsHash,
        string calldata uri,
        uint128 inputPrice,
        uint128 outputPrice
    ) external returns (uint256 modelId) {
        _checkName(name);
        _checkName(architecture);
        _checkLength(uri, Text.MAX_DESCRIPTION);
        modelId = _take(weightsHash);
        Model storage created = _models[modelId];
        _setOwner(modelId, msg.sender);
        created.weightsHash = weightsHash;
        emit BaseModelRegistered(modelId, msg.sender, weightsHash, name, architecture, uri);
        if (inputPrice != 0 || outputPrice != 0) _deploy(modelId, inputPrice, outputPrice);
    }

    /// @inheritdoc IModels
    function registerAdapter(AdapterSpec calldata spec) external returns (uint256 modelId) {
        if (msg.sender != jobs) revert NotJobs(msg.sender);
        _known(spec.parentId);
        _checkName(spec.name);
        if (spec.configHash == bytes32(0)) revert ZeroHash();
        modelId = _take(spec.weightsHash);
        Model storage created = _models[modelId];
        _setOwner(modelId, spec.owner);
        created.parentId = spec.parentId;
        created.jobId = spec.jobId;
        created.datanetId = spec.datanetId;
        created.datanetVersion = spec.datanetVersion;
        created.weightsHash = spec.weightsHash;
        created.configHash = spec.configHash;
        emit AdapterRegistered(
            modelId,
            spec.parentId,
            spec.owner,
            spec.jobId,
            spec.datanetId,
            spec.datanetVersion,
            spec.weightsHash,
            spec.configHash,
            spec.name
        );
    }

    /// @inheritdoc IModels
    /// @dev A runner speaks for itself only: NotBondedRunner names the evaluator it wanted to speak for.
    function recordEvaluation(uint256 modelId, address evaluator, Evaluation calldata evaluation) external {
        if (msg.sender != jobs && (evaluator != msg.sender || !staking.isBonded(msg.sender))) {
            revert NotBondedRunner(evaluator);
        }
        _known(modelId);
        if (evaluation.suite == bytes32(0) || evaluation.reportHash == bytes32(0)) revert ZeroHash();
        if (evaluation.suite == GENERAL) _generalEvaluated[modelId] = true;
        emit EvaluationRecorded(
            modelId,
            evaluation.suite,
            evaluator,
            evaluation.baseLossMicros,
            evaluation.modelLossMicros,
            evaluation.tokens,
            evaluation.regressed,
            evaluation.reportHash
        );
    }

    /// @inheritdoc IModels
    /// @dev On a deployed model it changes the prices. A base model is its own measure and needs no evaluation.
    function deploy(uint256 modelId, uint128 inputPrice, uint128 outputPrice) external {
        Model storage target = _ownedBySender(modelId);
        if (target.parentId != 0 && !_generalEvaluated[modelId]) revert NotEvaluated(modelId);
        _deploy(modelId, inputPrice, outputPrice);
    }

    /// @inheritdoc IModels
    function retire(uint256 modelId) external {
        Model storage target = _ownedBySender(modelId);
        if (!target.deployed) revert NotDeployed(modelId);
        target.deployed = false;
        emit ModelRetired(modelId, msg.sender);
    }

    /// @inheritdoc IModels
    /// @dev The zero address can't own a model: NotModelOwner(modelId, 0).
    function transferModel(uint256 modelId, address to) external {
        _ownedBySender(modelId);
        if (to == address(0)) revert NotModelOwner(modelId, to);
        _setOwner(modelId, to);
        emit ModelOwnershipTransferred(modelId, msg.sender, to);
    }

    /// @inheritdoc IModels
    function model(uint256 modelId) external view returns (Model memory) {
        return _known(modelId);
    }

    /// @inheritdoc IModels
    function modelByWeights(bytes32 weightsHash) external view returns (uint256 modelId) {
        return _byWeights[weightsHash];
    }

    /// @inheritdoc IModels
    function exists(uint256 modelId) external view returns (bool) {
        return _models[modelId].owner != address(0);
    }

    /// @inheritdoc IModels
    function lineAt(uint256 modelId, uint256 blockNumber) external view returns (address[] memory owners) {
        uint256 length = 0;
        for (uint256 id = modelId; id != 0 && length < MAX_LINE; id = _models[id].parentId) length++;
        owners = new address[](length);
        uint256 next = modelId;
        for (uint256 i = 0; i < length; i++) {
            owners[i] = address(_owners[next].upperLookupRecent(uint96(blockNumber)));
            next = _models[next].parentId;
        }
    }

    function _setOwner(uint256 modelId, address owner) private {
        _models[modelId].owner = owner;
        _owners[modelId].push(uint96(block.number), uint160(owner));
    }

    function _deploy(uint256 modelId, uint128 inputPrice, uint128 outputPrice) private {
        Model storage target = _models[modelId];
        target.deployed = true;
        target.inputPrice = inputPrice;
        target.outputPrice = outputPrice;
        emit ModelDeployed(modelId, target.owner, inputPrice, outputPrice);
    }

    function _take(bytes32 weightsHash) private returns (uint256 modelId) {
        if (weightsHash == bytes32(0)) revert ZeroHash();
        uint256 existing = _byWeights[weightsHash];
        if (existing != 0) revert WeightsTaken(weightsHash, existing);
        modelId = ++modelCount;
        _byWeights[weightsHash] = modelId;
    }

    function _known(uint256 modelId) private view returns (Model storage found) {
        found = _models[modelId];
        if (found.owner == address(0)) revert UnknownModel(modelId);
    }

    function _ownedBySender(uint256 modelId) private view returns (Model storage found) {
        found = _known(modelId);
        if (found.owner != msg.sender) revert NotModelOwner(modelId, msg.sender);
    }

    function _checkName(string calldata name) private pure {
        if (bytes(name).length == 0) revert EmptyName();
        _checkLength(name, Text.MAX_NAME);
    }

    function _checkLength(string calldata text, uint256 max) private pure {
        if (bytes(text).length > max) revert TextTooLong(bytes(text).length, max);
    }
}
