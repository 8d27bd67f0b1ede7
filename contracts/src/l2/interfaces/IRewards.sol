// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Cumulative Merkle distribution of job fees.
/// @notice Leaves are OpenZeppelin StandardMerkleTree ["address","address","uint256"]:
///         (account, token, cumulativeAmount). Invariant: claimed <= root total <= funded.
interface IRewards {
    enum RootStatus {
        None,
        Proposed,
        Disputed,
        Final,
        Rejected
    }

    struct Epoch {
        bytes32 root;
        bytes32 dataHash; // sha256 of the epoch's canonical ledger file
        bytes32 prevRoot;
        uint64 toBlock; // L2 block up to which (inclusive) the ledger counts
        uint64 disputableUntil; // unix seconds
        uint256 total; // sum of all leaves, wei
        address proposer;
        address challenger;
        uint256 bond;
        RootStatus status;
    }

    event Funded(uint256 indexed fundingId, address indexed source, uint256 amount, uint256 totalFunded);
    event RootProposed(
        uint64 indexed epoch,
        address indexed proposer,
        bytes32 root,
        bytes32 prevRoot,
        bytes32 dataHash,
        uint64 toBlock,
        uint256 total,
        uint64 disputableUntil
    );
    event RootDisputed(uint64 indexed epoch, address indexed challenger, string reason);
    event RootResolved(uint64 indexed epoch, bool upheld);
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
    error NoRoot();
    error BadProof(address account, uint256 cumulative);
    error NothingToClaim(address account, uint256 cumulative, uint256 claimed);
    error UnknownToken(address token);
    error TransferFailed(address to, uint256 amount);
    error TextTooLong(uint256 length, uint256 max);
    error ZeroAmount();

    /// @notice The leaf token that stands for the native coin, OPEN.
    function NATIVE_TOKEN() external view returns (address);
    function BOND() external view returns (uint256);
    function disputeWindow() external view returns (uint64);

    function fund() external payable returns (uint256 fundingId);
    /// @notice One root at a time: the next epoch is proposable when the last one is final or rejected.
    function proposeRoot(bytes32 root, bytes32 prevRoot, bytes32 dataHash, uint64 toBlock, uint256 total)
        external
        payable
        returns (uint64 epoch);
    function dispute(uint64 epoch, string calldata reason) external payable;
    /// @notice Governance settles a dispute; the loser's bond goes to the winner.
    /// @param upheld whether the root stands: it becomes final at once
    function resolve(uint64 epoch, bool upheld) external;
    /// @notice Anyone, once the window is over; returns the bond.
    function finalize(uint64 epoch) external;
    /// @notice Anyone may claim for an account; the money goes to the account or the recipient it has set itself.
    function claim(address account, address token, uint256 cumulative, bytes32[] calldata proof)
        external
        returns (uint256 amount);
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
