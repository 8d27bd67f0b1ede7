// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Text} from "./lib/Text.sol";

/// @title Runner bonds and delegated stake, in native OPEN.
/// @notice A slash takes from the runner's bond and from what of it is unbonding, never from delegated stake: the
///         unbonding time exists so that leaving early is no way out. Slashed OPEN is burned, so that nobody who decides
///         about slashing gains from it. Bonded runners have seats, from which audits draw who computes again.
contract Staking is IStaking, Ownable2StepUpgradeable, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace160;
    using Checkpoints for Checkpoints.Trace208;

    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @notice Waiting unbondings per account and kind. A further request joins the last one and moves its date to the
    ///         new one, so that nobody can make a slash (or the own withdrawal) too long to execute.
    uint256 public constant MAX_UNBONDINGS = 16;

    /// @notice Delegators of one runner at a time. The stakers' part is divided by largest remainder, and a dispute about it
    ///         has to fit into a transaction.
    uint256 public constant MAX_STAKERS = 64;

    uint256 public MIN_BOND;
    uint64 public UNBONDING_SECONDS;
    mapping(address runner => uint256 wei_) private _bonds;
    mapping(address staker => mapping(address runner => uint256 wei_)) private _stakes;
    mapping(address runner => uint256 wei_) private _totalStakes;
    /// @dev Slots of a runner's delegators, 1 to MAX_STAKERS; whoever leaves frees the slot. Both histories by block number.
    mapping(address runner => mapping(address staker => uint256 slot)) private _slotOf;
    mapping(address runner => uint256) private _slotCount;
    mapping(address runner => uint256[]) private _freeSlots;
    mapping(address runner => mapping(uint256 slot => Checkpoints.Trace160)) private _stakerHistory;
    mapping(address runner => mapping(uint256 slot => Checkpoints.Trace208)) private _stakeHistory;
    mapping(address runner => Checkpoints.Trace208) private _bondHistory;
    mapping(address account => Unbonding[]) private _bondQueue;
    mapping(address account => Unbonding[]) private _stakeQueue;
    address public audits;
    /// @dev Seats of the bonded runners, without gaps; `_seatOf` counts from 1. Both histories by block number.
    mapping(address runner => uint256) private _seatOf;
    mapping(uint256 seat => Checkpoints.Trace160) private _seatHistory;
    Checkpoints.Trace208 private _seatCountHistory;

    constructor() {
        _disableInitializers();
    }

    function initialize(address governance, uint256 minBond, uint64 unbondingSeconds, address audits_)
        external
        initializer
    {
        __Ownable_init(governance);
        MIN_BOND = minBond;
        UNBONDING_SECONDS = unbondingSeconds;
        audits = audits_;
    }

    /// @inheritdoc IStaking
    function bond() external payable {
        if (msg.value == 0) revert ZeroAmount();
        _setBond(msg.sender, _bonds[msg.sender] + msg.value);
    }

    /// @inheritdoc IStaking
    function requestUnbond(uint256 amount) external {
        uint256 held = _bonds[msg.sender];
        if (amount == 0) revert ZeroAmount();
        if (amount > held) revert InsufficientBond(held, amount);
        _setBond(msg.sender, held - amount);
        _enqueue(_bondQueue[msg.sender], msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function delegate(address runner) external payable {
        if (msg.value == 0) revert ZeroAmount();
        if (!isBonded(runner)) revert NotBondedRunner(runner);
        _setStake(runner, _stakes[msg.sender][runner] + msg.value, _totalStakes[runner] + msg.value);
    }

    /// @inheritdoc IStaking
    function requestUndelegate(address runner, uint256 amount) external {
        uint256 held = _stakes[msg.sender][runner];
        if (amount == 0) revert ZeroAmount();
        if (amount > held) revert InsufficientStake(held, amount);
        _setStake(runner, held - amount, _totalStakes[runner] - amount);
        _enqueue(_stakeQueue[msg.sender], runner, amount);
    }

    /// @inheritdoc IStaking
    function withdraw() external nonReentrant returns (uint256 amount) {
        amount = _takeDue(_bondQueue[msg.sender]) + _takeDue(_stakeQueue[msg.sender]);
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        emit Withdrawn(msg.sender, amount);
        _send(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function slash(address runner, uint256 amount, string calldata reason) external onlyOwner nonReentrant {
        if (amount == 0) revert ZeroAmount();
        uint256 taken = _slash(runner, amount, reason);
        if (taken < amount) revert InsufficientBond(taken, amount);
    }

    /// @inheritdoc IStaking
    function penalize(address runner, uint256 amount, string calldata reason)
        external
        nonReentrant
        returns (uint256 taken)
    {
        if (msg.sender != audits) revert NotAudits(msg.sender);
        return _slash(runner, amount, reason);
    }

    /// @inheritdoc IStaking
    function announce(string calldata endpoint) external {
        if (!isBonded(msg.sender)) revert NotBondedRunner(msg.sender);
        bytes calldata url = bytes(endpoint);
        _checkLength(url.length, Text.MAX_ENDPOINT);
        if (url.length != 0 && bytes7(url) != "http://" && bytes8(url) != "https://") revert BadEndpoint(endpoint);
        emit EndpointAnnounced(msg.sender, endpoint);
    }

    /// @inheritdoc IStaking
    function isBonded(address runner) public view returns (bool) {
        uint256 held = _bonds[runner];
        return held != 0 && held >= MIN_BOND;
    }

    /// @inheritdoc IStaking
    function bondOf(address runner) external view returns (uint256) {
        return _bonds[runner];
    }

    /// @inheritdoc IStaking
    function stakeOf(address staker, address runner) external view returns (uint256) {
        return _stakes[staker][runner];
    }

    /// @inheritdoc IStaking
    function totalStake(address runner) external view returns (uint256) {
        return _totalStakes[runner];
    }

    /// @inheritdoc IStaking
    /// @dev First what was bond (which a slash can still reach), then what was delegated stake.
    function unbondings(address account) external view returns (Unbonding[] memory all) {
        Unbonding[] storage bonds = _bondQueue[account];
        Unbonding[] storage stakes = _stakeQueue[account];
        all = new Unbonding[](bonds.length + stakes.length);
        for (uint256 i = 0; i < bonds.length; i++) all[i] = bonds[i];
        for (uint256 i = 0; i < stakes.length; i++) all[bonds.length + i] = stakes[i];
    }

    /// @inheritdoc IStaking
    function seatCountAt(uint256 blockNumber) external view returns (uint256) {
        return _seatCountHistory.upperLookupRecent(uint48(blockNumber));
    }

    /// @inheritdoc IStaking
    function seatAt(uint256 seat, uint256 blockNumber) external view returns (address) {
        return address(_seatHistory[seat].upperLookupRecent(uint96(blockNumber)));
    }

    /// @inheritdoc IStaking
    function minStake() public view returns (uint256) {
        return MIN_BOND / 100;
    }

    /// @inheritdoc IStaking
    function stakersAt(address runner, uint256 blockNumber)
        external
        view
        returns (address[] memory stakers, uint256[] memory stakes)
    {
        uint256 slots = _slotCount[runner];
        stakers = new address[](slots + 1);
        stakes = new uint256[](slots + 1);
        stakers[0] = runner;
        stakes[0] = _bondHistory[runner].upperLookupRecent(uint48(blockNumber));
        for (uint256 slot = 1; slot <= slots; slot++) {
            stakes[slot] = _stakeHistory[runner][slot].upperLookupRecent(uint48(blockNumber));
            if (stakes[slot] == 0) continue;
            stakers[slot] = address(_stakerHistory[runner][slot].upperLookupRecent(uint96(blockNumber)));
            if (stakers[slot] != runner) continue;
            stakes[0] += stakes[slot];
            stakes[slot] = 0;
        }
    }

    /// @dev A stake is nothing or at least `minStake`: dust must not fill another runner's slots.
    function _checkpointStake(address runner, uint256 stake) private {
        uint256 slot = _slotOf[runner][msg.sender];
        if (stake != 0 && stake < minStake()) revert StakeTooLow(stake, minStake());
        if (slot == 0) {
            slot = _takeSlot(runner);
            _slotOf[runner][msg.sender] = slot;
            _stakerHistory[runner][slot].push(uint96(block.number), uint160(msg.sender));
        } else if (stake == 0) {
            delete _slotOf[runner][msg.sender];
            _freeSlots[runner].push(slot);
        }
        _stakeHistory[runner][slot].push(uint48(block.number), uint208(stake));
    }

    function _takeSlot(address runner) private returns (uint256 slot) {
        uint256[] storage free = _freeSlots[runner];
        if (free.length != 0) {
            slot = free[free.length - 1];
            free.pop();
            return slot;
        }
        if (_slotCount[runner] == MAX_STAKERS) revert TooManyStakers(runner);
        return ++_slotCount[runner];
    }

    function _setBond(address runner, uint256 amount) private {
        _bonds[runner] = amount;
        _bondHistory[runner].push(uint48(block.number), uint208(amount));
        emit BondChanged(runner, amount);
        bool seated = _seatOf[runner] != 0;
        if (isBonded(runner) == seated) return;
        if (seated) _freeSeat(runner);
        else _takeSeat(runner);
    }

    function _takeSeat(address runner) private {
        uint256 seat = _seatCountHistory.latest();
        _setSeat(seat, runner);
        _seatCountHistory.push(uint48(block.number), uint208(seat + 1));
    }

    /// @dev Who has the last seat moves into the one that is freed.
    function _freeSeat(address runner) private {
        uint256 seat = _seatOf[runner] - 1;
        uint256 last = _seatCountHistory.latest() - 1;
        delete _seatOf[runner];
        if (seat != last) _setSeat(seat, address(_seatHistory[last].latest()));
        _seatHistory[last].push(uint96(block.number), 0);
        _seatCountHistory.push(uint48(block.number), uint208(last));
    }

    function _setSeat(uint256 seat, address runner) private {
        _seatOf[runner] = seat + 1;
        _seatHistory[seat].push(uint96(block.number), uint160(runner));
    }

    /// @dev From the bond first, then from what of it is unbonding; `taken` is less than `amount` where there isn't more.
    function _slash(address runner, uint256 amount, string calldata reason) private returns (uint256 taken) {
        _checkLength(bytes(reason).length, Text.MAX_DESCRIPTION);
        uint256 held = _bonds[runner];
        taken = amount < held ? amount : held;
        if (taken != 0) _setBond(runner, held - taken);
        if (taken < amount) taken += _takeNewest(_bondQueue[runner], amount - taken);
        if (taken == 0) return 0;
        emit Slashed(runner, taken, reason);
        _send(BURN_ADDRESS, taken);
    }

    function _checkLength(uint256 length, uint256 max) private pure {
        if (length > max) revert TextTooLong(length, max);
    }

    function _setStake(address runner, uint256 stake, uint256 total) private {
        _stakes[msg.sender][runner] = stake;
        _checkpointStake(runner, stake);
        _totalStakes[runner] = total;
        emit StakeChanged(msg.sender, runner, stake, total);
    }

    function _enqueue(Unbonding[] storage queue, address runner, uint256 amount) private {
        uint64 due = uint64(block.timestamp) + UNBONDING_SECONDS;
        if (queue.length < MAX_UNBONDINGS) {
            queue.push(Unbonding(amount, due));
        } else {
            Unbonding storage last = queue[queue.length - 1];
            last.amount += amount;
            last.withdrawableAt = due;
        }
        emit UnbondRequested(msg.sender, runner, amount, due);
    }

    /// @dev The queue is in the order of the dates, so what is due lies in front.
    function _takeDue(Unbonding[] storage queue) private returns (uint256 amount) {
        uint256 due = 0;
        while (due < queue.length && queue[due].withdrawableAt <= block.timestamp) amount += queue[due++].amount;
        if (due == 0) return 0;
        for (uint256 i = due; i < queue.length; i++) queue[i - due] = queue[i];
        for (; due > 0; due--) queue.pop();
    }

    function _takeNewest(Unbonding[] storage queue, uint256 wanted) private returns (uint256 taken) {
        while (taken < wanted && queue.length != 0) {
            Unbonding storage last = queue[queue.length - 1];
            uint256 rest = wanted - taken;
            if (last.amount > rest) {
                last.amount -= rest;
                return wanted;
            }
            taken += last.amount;
            queue.pop();
        }
    }

    function _send(address to, uint256 amount) private {
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed(to, amount);
    }
}
