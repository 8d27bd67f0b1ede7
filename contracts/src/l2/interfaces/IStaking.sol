// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Runner bonds and delegated stake, in native OPEN.
interface IStaking {
    struct Unbonding {
        uint256 amount;
        uint64 withdrawableAt;
    }

    event BondChanged(address indexed runner, uint256 bond);
    event StakeChanged(address indexed staker, address indexed runner, uint256 stake, uint256 runnerTotal);
    event UnbondRequested(address indexed account, address indexed runner, uint256 amount, uint64 withdrawableAt);
    event Withdrawn(address indexed account, uint256 amount);
    event Slashed(address indexed runner, uint256 amount, string reason);
    event EndpointAnnounced(address indexed runner, string endpoint);

    error ZeroAmount();
    error InsufficientBond(uint256 bond, uint256 amount);
    error InsufficientStake(uint256 stake, uint256 amount);
    error NothingToWithdraw(address account);
    error TransferFailed(address to, uint256 amount);
    error NotBondedRunner(address runner);
    error NotAudits(address caller);
    error BadEndpoint(string endpoint);
    error StakeTooLow(uint256 stake, uint256 min);
    error TooManyStakers(address runner);
    error TextTooLong(uint256 length, uint256 max);

    function MIN_BOND() external view returns (uint256);
    function UNBONDING_SECONDS() external view returns (uint64);

    function bond() external payable;
    function requestUnbond(uint256 amount) external;
    /// @notice Stakes on a bonded runner; stakers share the stakers' part of what that runner settles.
    function delegate(address runner) external payable;
    function requestUndelegate(address runner, uint256 amount) external;
    /// @notice Pays out all of the caller's unbondings that are due.
    function withdraw() external returns (uint256 amount);
    /// @notice Governance only.
    function slash(address runner, uint256 amount, string calldata reason) external;
    /// @notice Only Audits. Takes at most what bond and unbondings hold, and never reverts for too little.
    function penalize(address runner, uint256 amount, string calldata reason) external returns (uint256 taken);
    /// @notice A bonded runner tells where it is reached: an http:// or https:// URL of at most 256 bytes; empty takes it
    ///         back.
    function announce(string calldata endpoint) external;

    function isBonded(address runner) external view returns (bool);
    function bondOf(address runner) external view returns (uint256);
    function stakeOf(address staker, address runner) external view returns (uint256);
    /// @notice How many runners were bonded at the end of a block; each has one of the seats 0 to `seatCountAt` - 1.
    function seatCountAt(uint256 blockNumber) external view returns (uint256);
    /// @notice Who had the seat at the end of a block; address(0) where there was no such seat.
    function seatAt(uint256 seat, uint256 blockNumber) external view returns (address);
    /// @notice The least that may be delegated to a runner.
    function minStake() external view returns (uint256);
    /// @notice Who shared the stakers' part of a runner at the end of a block: the runner with its bond first, then its
    ///         delegators in the order of their slots. No address but with stake zero occurs twice.
    function stakersAt(address runner, uint256 blockNumber)
        external
        view
        returns (address[] memory stakers, uint256[] memory stakes);
    function totalStake(address runner) external view returns (uint256);
    function unbondings(address account) external view returns (Unbonding[] memory);
}
