// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Community data sets of one modality each.
/// @notice Files live off chain, addressed by sha256; what is on chain is who gave which file, how it was decided, and
///         the Merkle root of each published version.
interface IDatanets {
    enum Modality {
        Text,
        Image,
        Audio
    }

    /// @dev The order is part of the ABI. Text: Md..Txt, Image: Png..Bmp, Audio: Wav..Flac.
    enum Format {
        Md,
        Pdf,
        Docx,
        Txt,
        Png,
        Jpg,
        Jpeg,
        Webp,
        Tiff,
        Bmp,
        Wav,
        Mp3,
        Flac
    }

    enum Status {
        None,
        Pending,
        Accepted,
        Rejected
    }

    struct Datanet {
        address owner;
        Modality modality;
        uint64 createdAt;
        uint32 versionCount;
        uint32 submittedCount;
        uint32 acceptedCount;
    }

    struct Contribution {
        uint256 datanetId;
        address contributor;
        Format format;
        Status status;
        uint32 size;
        uint16 score;
        uint64 submittedAt;
        bytes32 contentHash;
    }

    /// @notice Who is paid for an accepted contribution. Near duplicates form a cluster, paid once, to whom gave its first.
    struct Credit {
        address payee;
        uint48 cluster; // the cluster's first accepted contribution; 0 while not accepted
        uint48 acceptedAt; // L2 block
    }

    struct Version {
        bytes32 dataRoot;
        uint32 contributionCount;
        uint64 publishedAt;
    }

    event DatanetCreated(
        uint256 indexed datanetId, address indexed owner, Modality indexed modality, string name, string description
    );
    event ReviewerSet(uint256 indexed datanetId, address indexed reviewer, bool allowed);
    event ContributionSubmitted(
        uint256 indexed contributionId,
        uint256 indexed datanetId,
        address indexed contributor,
        bytes32 contentHash,
        Format format,
        uint32 size,
        string fileName
    );
    event ContributionAccepted(
        uint256 indexed contributionId,
        uint256 indexed datanetId,
        address indexed contributor,
        address reviewer,
        uint16 score,
        uint32 leafIndex,
        bytes32 leaf,
        uint256 duplicateOf
    );
    event ContributionRejected(
        uint256 indexed contributionId,
        uint256 indexed datanetId,
        address indexed contributor,
        address reviewer,
        string reason
    );
    event DatanetVersionPublished(
        uint256 indexed datanetId, uint32 indexed version, bytes32 dataRoot, uint32 contributionCount
    );

    error UnknownDatanet(uint256 datanetId);
    error UnknownContribution(uint256 contributionId);
    error NotDatanetOwner(uint256 datanetId, address caller);
    error NotReviewer(uint256 datanetId, address caller);
    error WrongModality(Modality datanet, Format format);
    error EmptyFile();
    error EmptyName();
    error TextTooLong(uint256 length, uint256 max);
    error DuplicateContent(uint256 datanetId, uint256 existingContributionId);
    error ContributorFileCap(uint256 used, uint256 cap);
    error ContributorByteCap(uint256 used, uint256 size, uint256 cap);
    error DatanetByteCap(uint256 used, uint256 size, uint256 cap);
    error AlreadyDecided(uint256 contributionId, Status status);
    error BadScore(uint16 score);
    error NotAnOriginal(uint256 contributionId, uint256 datanetId);
    error ReasonRequired();
    error NothingNew(uint256 datanetId);

    /// @notice Files one contributor may submit per UTC day, over all datanets.
    function MAX_FILES_PER_DAY() external view returns (uint256);
    /// @notice Bytes one contributor may submit per UTC day, over all datanets (10 MB = 10,000,000).
    function MAX_CONTRIBUTOR_BYTES_PER_DAY() external view returns (uint256);
    /// @notice Bytes one datanet may receive per UTC day.
    function MAX_DATANET_BYTES_PER_DAY() external view returns (uint256);

    function createDatanet(string calldata name, Modality modality, string calldata description)
        external
        returns (uint256 datanetId);

    /// @notice The owner names who may decide about files; the owner itself is always a reviewer.
    function setReviewer(uint256 datanetId, address reviewer, bool allowed) external;

    /// @param contentHash sha256 of the file. A hash that is pending or accepted in this datanet can't be given again.
    function submit(uint256 datanetId, bytes32 contentHash, Format format, uint32 size, string calldata fileName)
        external
        returns (uint256 contributionId);

    /// @param score 1..10000. The leaf keccak256(keccak256(abi.encode(contributionId, contributor, contentHash, score)))
    ///        joins the datanet's Merkle tree.
    /// @param duplicateOf the accepted contribution of this datanet that this one is nearly the same as, itself no
    ///        duplicate; 0 for an original. A duplicate earns its contributor nothing.
    function accept(uint256 contributionId, uint16 score, uint256 duplicateOf) external;

    function reject(uint256 contributionId, string calldata reason) external;

    /// @notice Freezes the present Merkle root as the next version (versions count from 1).
    function publishVersion(uint256 datanetId) external returns (uint32 version, bytes32 dataRoot);

    function datanet(uint256 datanetId) external view returns (Datanet memory);
    function contribution(uint256 contributionId) external view returns (Contribution memory);
    function versionOf(uint256 datanetId, uint32 version) external view returns (Version memory);
    function creditsOf(uint256[] calldata contributionIds) external view returns (Credit[] memory);
    function isReviewer(uint256 datanetId, address account) external view returns (bool);
    /// @notice What this contributor may still submit today.
    function remainingToday(address contributor) external view returns (uint256 files, uint256 bytes_);
}
