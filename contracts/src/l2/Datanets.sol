// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleTree} from "@openzeppelin/contracts/utils/structs/MerkleTree.sol";
import {IDatanets} from "./interfaces/IDatanets.sol";
import {Text} from "./lib/Text.sol";

/// @title Community data sets of one modality each.
/// @notice How to rebuild a datanet's tree off chain (contracts/ts/datanetTree.ts does it):
///         - depth 20, so 1,048,576 accepted files; `accept` on a full tree fails with Panic(0x41);
///         - leaf i is the i-th acceptance, keccak256(keccak256(abi.encode(contributionId, contributor, contentHash,
///           score))); the places behind the last leaf hold bytes32(0);
///         - a node is keccak256 of its two children, the numerically smaller one first. Two empty children are hashed
///           like any others: the root of an empty subtree of height h+1 is keccak256(z_h, z_h), with z_0 = bytes32(0).
///         OpenZeppelin's MerkleProof verifies such proofs; they always have 20 elements.
/// @dev Depth 20 because each level costs an acceptance one cold read (2,100 gas), and a million files are years of a
///      busy datanet. Nothing here is governed and nothing needs initializing: the contract has no owner.
contract Datanets is IDatanets {
    using MerkleTree for MerkleTree.Bytes32PushTree;

    uint256 public constant MAX_FILES_PER_DAY = 20;
    uint256 public constant MAX_CONTRIBUTOR_BYTES_PER_DAY = 10_000_000;
    uint256 public constant MAX_DATANET_BYTES_PER_DAY = 10_000_000;
    uint8 public constant TREE_DEPTH = 20;
    uint16 public constant MAX_SCORE = 10_000;

    /// @dev Only the last day matters, so one slot per account or datanet is reused for ever.
    struct Usage {
        uint64 day;
        uint64 files;
        uint128 bytes_;
    }

    struct Tree {
        MerkleTree.Bytes32PushTree leaves;
        bytes32 root;
    }

    uint256 public datanetCount;
    uint256 public contributionCount;
    mapping(uint256 datanetId => Datanet) private _datanets;
    mapping(uint256 datanetId => Tree) private _trees;
    mapping(uint256 datanetId => mapping(address account => bool)) private _reviewers;
    mapping(uint256 datanetId => mapping(uint32 version => Version)) private _versions;
    mapping(uint256 datanetId => mapping(bytes32 contentHash => uint256 contributionId)) private _byContent;
    mapping(uint256 contributionId => Contribution) private _contributions;
    mapping(uint256 contributionId => Credit) private _credits;
    mapping(address contributor => Usage) private _contributorUsage;
    mapping(uint256 datanetId => Usage) private _datanetUsage;

    /// @inheritdoc IDatanets
    function createDatanet(string calldata name, Modality modality, string calldata description)
        external
        returns (uint256 datanetId)
    {
        _checkName(name);
        _checkLength(description, Text.MAX_DESCRIPTION);
        datanetId = ++datanetCount;
        Datanet storage net = _datanets[datanetId];
        net.owner = msg.sender;
        net.modality = modality;
        net.createdAt = uint64(block.timestamp);
        Tree storage tree = _trees[datanetId];
        tree.root = tree.leaves.setup(TREE_DEPTH, bytes32(0));
        emit DatanetCreated(datanetId, msg.sender, modality, name, description);
    }

    /// @inheritdoc IDatanets
    function setReviewer(uint256 datanetId, address reviewer, bool allowed) external {
        _ownedBySender(datanetId);
        _reviewers[datanetId][reviewer] = allowed;
        emit ReviewerSet(datanetId, reviewer, allowed);
    }

    /// @inheritdoc IDatanets
    /// @dev A zero hash is no file's sha256, so it counts as an empty file.
    function submit(uint256 datanetId, bytes32 contentHash, Format format, uint32 size, string calldata fileName)
        external
        returns (uint256 contributionId)
    {
        Modality modality = _known(datanetId).modality;
        if (_modalityOf(format) != modality) revert WrongModality(modality, format);
        if (size == 0 || contentHash == bytes32(0)) revert EmptyFile();
        _checkName(fileName);
        uint256 existing = _byContent[datanetId][contentHash];
        if (existing != 0) revert DuplicateContent(datanetId, existing);
        _spendCaps(datanetId, size);

        contributionId = ++contributionCount;
        _byContent[datanetId][contentHash] = contributionId;
        _datanets[datanetId].submittedCount++;
        _contributions[contributionId] = Contribution({
            datanetId: datanetId,
            contributor: msg.sender,
            format: format,
            status: Status.Pending,
            size: size,
            score: 0,
            submittedAt: uint64(block.timestamp),
            contentHash: contentHash
        });
        emit ContributionSubmitted(contributionId, datanetId, msg.sender, contentHash, format, size, fileName);
    }

    /// @inheritdoc IDatanets
    function accept(uint256 contributionId, uint16 score, uint256 duplicateOf) external {
        Contribution storage given = _reviewable(contributionId);
        if (score == 0 || score > MAX_SCORE) revert BadScore(score);
        uint256 datanetId = given.datanetId;
        address contributor = given.contributor;
        _join(contributionId, datanetId, contributor, duplicateOf);
        bytes32 leaf =
            keccak256(bytes.concat(keccak256(abi.encode(contributionId, contributor, given.contentHash, score))));
        given.status = Status.Accepted;
        given.score = score;
        Tree storage tree = _trees[datanetId];
        (uint256 leafIndex, bytes32 newRoot) = tree.leaves.push(leaf);
        tree.root = newRoot;
        _datanets[datanetId].acceptedCount++;
        emit ContributionAccepted(
            contributionId, datanetId, contributor, msg.sender, score, uint32(leafIndex), leaf, duplicateOf
        );
    }

    /// @inheritdoc IDatanets
    /// @dev Frees the content hash, so that a wrongly rejected file can be given again; the day's caps stay spent.
    function reject(uint256 contributionId, string calldata reason) external {
        Contribution storage given = _reviewable(contributionId);
        if (bytes(reason).length == 0) revert ReasonRequired();
        _checkLength(reason, Text.MAX_DESCRIPTION);
        given.status = Status.Rejected;
        delete _byContent[given.datanetId][given.contentHash];
        emit ContributionRejected(contributionId, given.datanetId, given.contributor, msg.sender, reason);
    }

    /// @inheritdoc IDatanets
    function publishVersion(uint256 datanetId) external returns (uint32 version, bytes32 dataRoot) {
        Datanet storage net = _ownedBySender(datanetId);
        uint32 accepted = net.acceptedCount;
        if (accepted == _versions[datanetId][net.versionCount].contributionCount) revert NothingNew(datanetId);
        version = ++net.versionCount;
        dataRoot = _trees[datanetId].root;
        _versions[datanetId][version] =
            Version({dataRoot: dataRoot, contributionCount: accepted, publishedAt: uint64(block.timestamp)});
        emit DatanetVersionPublished(datanetId, version, dataRoot, accepted);
    }

    /// @inheritdoc IDatanets
    function datanet(uint256 datanetId) external view returns (Datanet memory) {
        return _known(datanetId);
    }

    /// @inheritdoc IDatanets
    function contribution(uint256 contributionId) external view returns (Contribution memory) {
        return _knownContribution(contributionId);
    }

    /// @inheritdoc IDatanets
    function creditsOf(uint256[] calldata contributionIds) external view returns (Credit[] memory credits) {
        credits = new Credit[](contributionIds.length);
        for (uint256 i = 0; i < contributionIds.length; i++) credits[i] = _credits[contributionIds[i]];
    }

    /// @inheritdoc IDatanets
    /// @dev All zero (publishedAt too) where there is no such version.
    function versionOf(uint256 datanetId, uint32 version) external view returns (Version memory) {
        return _versions[datanetId][version];
    }

    /// @notice The root over everything accepted until now; the next version would freeze it.
    function currentRoot(uint256 datanetId) external view returns (bytes32) {
        _known(datanetId);
        return _trees[datanetId].root;
    }

    /// @inheritdoc IDatanets
    function isReviewer(uint256 datanetId, address account) public view returns (bool) {
        address owner = _datanets[datanetId].owner;
        return owner != address(0) && (owner == account || _reviewers[datanetId][account]);
    }

    /// @inheritdoc IDatanets
    function remainingToday(address contributor) external view returns (uint256 files, uint256 bytes_) {
        Usage memory used = _today(_contributorUsage[contributor]);
        return (MAX_FILES_PER_DAY - used.files, MAX_CONTRIBUTOR_BYTES_PER_DAY - used.bytes_);
    }

    /// @dev One slot a contribution, so that a dispute over a thousand of them fits into a transaction.
    function _join(uint256 contributionId, uint256 datanetId, address contributor, uint256 duplicateOf) private {
        Credit memory credit = Credit(contributor, uint48(contributionId), uint48(block.number));
        if (duplicateOf != 0) {
            Credit memory original = _credits[duplicateOf];
            if (original.cluster != duplicateOf || _contributions[duplicateOf].datanetId != datanetId) {
                revert NotAnOriginal(duplicateOf, datanetId);
            }
            credit.payee = original.payee;
            credit.cluster = original.cluster;
        }
        _credits[contributionId] = credit;
    }

    function _spendCaps(uint256 datanetId, uint32 size) private {
        Usage memory own = _today(_contributorUsage[msg.sender]);
        if (own.files == MAX_FILES_PER_DAY) revert ContributorFileCap(own.files, MAX_FILES_PER_DAY);
        if (own.bytes_ + size > MAX_CONTRIBUTOR_BYTES_PER_DAY) {
            revert ContributorByteCap(own.bytes_, size, MAX_CONTRIBUTOR_BYTES_PER_DAY);
        }
        Usage memory all = _today(_datanetUsage[datanetId]);
        if (all.bytes_ + size > MAX_DATANET_BYTES_PER_DAY) {
            revert DatanetByteCap(all.bytes_, size, MAX_DATANET_BYTES_PER_DAY);
        }
        _contributorUsage[msg.sender] = Usage(own.day, own.files + 1, own.bytes_ + size);
        _datanetUsage[datanetId] = Usage(all.day, all.files + 1, all.bytes_ + size);
    }

    /// @dev A record of another day reads as an empty one of today.
    function _today(Usage memory last) private view returns (Usage memory) {
        uint64 day = uint64(block.timestamp / 1 days);
        return last.day == day ? last : Usage(day, 0, 0);
    }

    function _known(uint256 datanetId) private view returns (Datanet storage net) {
        net = _datanets[datanetId];
        if (net.owner == address(0)) revert UnknownDatanet(datanetId);
    }

    function _ownedBySender(uint256 datanetId) private view returns (Datanet storage net) {
        net = _known(datanetId);
        if (net.owner != msg.sender) revert NotDatanetOwner(datanetId, msg.sender);
    }

    function _knownContribution(uint256 contributionId) private view returns (Contribution storage given) {
        given = _contributions[contributionId];
        if (given.status == Status.None) revert UnknownContribution(contributionId);
    }

    function _reviewable(uint256 contributionId) private view returns (Contribution storage given) {
        given = _knownContribution(contributionId);
        if (!isReviewer(given.datanetId, msg.sender)) revert NotReviewer(given.datanetId, msg.sender);
        if (given.status != Status.Pending) revert AlreadyDecided(contributionId, given.status);
    }

    function _modalityOf(Format format) private pure returns (Modality) {
        if (format <= Format.Txt) return Modality.Text;
        if (format <= Format.Bmp) return Modality.Image;
        return Modality.Audio;
    }

    function _checkName(string calldata name) private pure {
        if (bytes(name).length == 0) revert EmptyName();
        _checkLength(name, Text.MAX_NAME);
    }

    function _checkLength(string calldata text, uint256 max) private pure {
        if (bytes(text).length > max) revert TextTooLong(bytes(text).length, max);
    }
}
