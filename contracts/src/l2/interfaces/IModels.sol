// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Base models and the adapters trained on them: lineage, evaluations, price.
interface IModels {
    struct Model {
        address owner;
        uint256 parentId; // 0 for a base model
        uint256 jobId; // the training job, 0 for a base model
        uint256 datanetId; // 0 for a base model
        uint32 datanetVersion;
        bool deployed;
        bytes32 weightsHash; // sha256 of the safetensors file
        bytes32 configHash; // sha256 of the run record (config, seed, engine versions)
        uint128 inputPrice; // wei of OPEN per 1,000 prompt tokens
        uint128 outputPrice; // wei of OPEN per 1,000 generated tokens
    }

    /// @notice One suite's result of a model against its base, on the same rows. Losses in micro-nats per token.
    struct Evaluation {
        bytes32 suite; // short ASCII name, right-padded: "domain", "general", ...
        uint64 baseLossMicros;
        uint64 modelLossMicros;
        uint32 tokens; // evaluated tokens
        bool regressed; // the verdict: worse than its base beyond the suite's tolerance
        bytes32 reportHash; // sha256 of the full report
    }

    /// @notice What a training job yields.
    struct AdapterSpec {
        uint256 parentId;
        uint256 jobId;
        uint256 datanetId;
        uint32 datanetVersion;
        address owner;
        bytes32 weightsHash;
        bytes32 configHash;
        string name;
    }

    event BaseModelRegistered(
        uint256 indexed modelId,
        address indexed owner,
        bytes32 weightsHash,
        string name,
        string architecture,
        string uri
    );
    event AdapterRegistered(
        uint256 indexed modelId,
        uint256 indexed parentId,
        address indexed owner,
        uint256 jobId,
        uint256 datanetId,
        uint32 datanetVersion,
        bytes32 weightsHash,
        bytes32 configHash,
        string name
    );
    event EvaluationRecorded(
        uint256 indexed modelId,
        bytes32 indexed suite,
        address indexed evaluator,
        uint64 baseLossMicros,
        uint64 modelLossMicros,
        uint32 tokens,
        bool regressed,
        bytes32 reportHash
    );
    event ModelDeployed(uint256 indexed modelId, address indexed owner, uint128 inputPrice, uint128 outputPrice);
    event ModelRetired(uint256 indexed modelId, address indexed owner);
    event ModelOwnershipTransferred(uint256 indexed modelId, address indexed from, address indexed to);

    error UnknownModel(uint256 modelId);
    error NotModelOwner(uint256 modelId, address caller);
    error NotJobs(address caller);
    error NotBondedRunner(address caller);
    error NotEvaluated(uint256 modelId);
    error NotDeployed(uint256 modelId);
    error WeightsTaken(bytes32 weightsHash, uint256 modelId);
    error EmptyName();
    error TextTooLong(uint256 length, uint256 max);
    error ZeroHash();

    function registerBaseModel(
        string calldata name,
        string calldata architecture,
        bytes32 weightsHash,
        string calldata uri,
        uint128 inputPrice,
        uint128 outputPrice
    ) external returns (uint256 modelId);

    /// @notice Only Jobs: an adapter exists because a training job was committed.
    function registerAdapter(AdapterSpec calldata spec) external returns (uint256 modelId);

    /// @notice Jobs (with a training commit) or a bonded runner (a later evaluation).
    function recordEvaluation(uint256 modelId, address evaluator, Evaluation calldata evaluation) external;

    /// @notice Needs at least one evaluation of the adapter on the suite "general", so that forgetting is shown first.
    function deploy(uint256 modelId, uint128 inputPrice, uint128 outputPrice) external;

    function retire(uint256 modelId) external;
    function transferModel(uint256 modelId, address to) external;
    function model(uint256 modelId) external view returns (Model memory);
    function modelByWeights(bytes32 weightsHash) external view returns (uint256 modelId);
    /// @notice The most generations whose owners share in what a model earns.
    function MAX_LINE() external view returns (uint256);
    /// @notice Who owned a model and what it was trained on, nearest first, at the end of a block; at most
    ///         MAX_LINE. 0 while it didn't exist.
    function lineAt(uint256 modelId, uint256 blockNumber) external view returns (address[] memory owners);
    function exists(uint256 modelId) external view returns (bool);
}
