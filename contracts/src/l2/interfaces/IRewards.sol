// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Cumulative Merkle distribution of job fees.
/// @notice Leaves are OpenZeppelin StandardMerkleTree ["address","address","uint256"]:
///         (account, token, cumulativeAmount). Invariant: claimed <= root total <= funded.
interface IRewards {
    enum RootStatus {
        None,
        Proposed,
        Final,
        Rejected
    }

    /// @notice What a proposer commits to (docs/spec/rewards-ledger.md).
    struct Proposal {
        bytes32 root;
        bytes32 prevRoot; // the current root
        bytes32 dataHash; // sha256 of the epoch's canonical ledger file
        bytes32 traceRoot; // over the chunks of the trace that leads to the root
        bytes32 treeRoot; // over the chunks of the tree's nodes, the root first
        uint64 records; // of the trace
        uint64 accounts; // leaves of the tree
        uint64 toBlock; // L2 block up to which (inclusive) the ledger counts
        uint256 total; // sum of all leaves, wei
    }

    struct Epoch {
        bytes32 root;
        bytes32 dataHash;
        bytes32 prevRoot;
        bytes32 traceRoot;
        bytes32 treeRoot;
        uint64 records;
        uint64 accounts;
        uint64 fromBlock; // the last block that the previous root counts
        uint64 toBlock;
        uint64 prevEpoch; // the final epoch that this one carries on; 0 for none
        uint64 disputableUntil; // unix seconds
        uint256 total;
        address proposer;
        address challenger; // who has shown it wrong
        uint256 bond;
        RootStatus status;
    }

    struct Claim {
        address account;
        uint256 cumulative;
        bytes32[] proof;
    }

    event Funded(uint256 indexed fundingId, address indexed source, uint256 amount, uint256 totalFunded);
    event RootProposed(
        uint64 indexed epoch,
        address indexed proposer,
        bytes32 root,
        bytes32 prevRoot,
        bytes32 dataHash,
        bytes32 traceRoot,
        bytes32 treeRoot,
        uint64 records,
        uint64 accounts,
        uint64 toBlock,
        uint256 total,
        uint64 disputableUntil
    );
    /// @param reason what the disputes contract found: "chunk", "seam", "carry", "receipt", "node", "order", "missing" or "silence"
    event RootRejected(uint64 indexed epoch, address indexed challenger, string reason);
    event RootFinalized(uint64 indexed epoch, bytes32 root, uint256 total);
    event Claimed(
        address indexed account, address indexed recipient, address token, uint256 amount, uint256 cumulative
    );
    event DisputeWindowSet(uint64 disputeWindow);
    event RecipientSet(address indexed account, address indexed recipient);

    error WrongBond(uint256 given, uint256 required);
    error EpochOpen(uint64 epoch);
    error WrongStatus(uint64 epoch, RootStatus status);
    error WindowRunning(uint64 epoch, uint64 disputableUntil);
    error WindowOver(uint64 epoch, uint64 disputableUntil);
    error WrongPrevRoot(bytes32 given, bytes32 current);
    error TotalFell(uint256 total, uint256 previous);
    error TotalOverFunded(uint256 total, uint256 funded);
    error BadBlockRange(uint64 toBlock, uint64 previous);
    error ZeroRoot();
    error NoRecords();
    error NotDisputes(address caller);
    error NoRoot();
    error BadProof(address account, uint256 cumulative);
    error NothingToClaim(address account, uint256 cumulative, uint256 claimed);
    error UnknownToken(address token);
    error TransferFailed(address to, uint256 amount);
    error ZeroAmount();

    /// @notice The leaf token that stands for the native coin, OPEN.
    function NATIVE_TOKEN() external view returns (address);
    /// @notice Who gets the platform's part of every settlement; never changes.
    function platform() external view returns (address);
    function BOND() external view returns (uint256);
    function disputeWindow() external view returns (uint64);

    function fund() external payable returns (uint256 fundingId);
    /// @notice One root at a time: the next epoch is proposable when the last one is final or rejected.
    function proposeRoot(Proposal calldata proposal) external payable returns (uint64 epoch);
    /// @notice Only the disputes contract, which has computed that the epoch is wrong. Half of the bond goes to the
    ///         challenger; the other half is burned, so that proposing wrong roots and challenging them oneself has a price.
    function reject(uint64 epoch, address challenger, string calldata reason) external;
    /// @notice Only the disputes contract: the epoch stays open for challenges at least until then.
    function extendWindow(uint64 epoch, uint64 until) external;
    /// @notice Anyone, once the window is over; returns the bond.
    function finalize(uint64 epoch) external;
    /// @notice Anyone may claim for an account; the money goes to the account or the recipient it has set itself.
    function claim(address account, address token, uint256 cumulative, bytes32[] calldata proof)
        external
        returns (uint256 amount);
    /// @notice Claims for many accounts; those that have nothing to claim or don't take the money are left out.
    function claimMany(Claim[] calldata claims) external returns (uint256 amount);
    function setRecipient(address recipient) external;
    /// @notice Governance only; a root that is already proposed keeps its window.
    function setDisputeWindow(uint64 seconds_) external;

    function root() external view returns (bytes32);
    function currentEpoch() external view returns (uint64);
    function epochInfo(uint64 epoch) external view returns (Epoch memory);
    function claimed(address account) external view returns (uint256);
    function recipientOf(address account) external view returns (address);
    function totals() external view returns (uint256 funded, uint256 claimedTotal, uint256 bonded);
}
