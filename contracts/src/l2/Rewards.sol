// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {Payouts} from "./lib/Payouts.sol";

/// @title Cumulative Merkle distribution of job fees.
/// @notice Who is owed what is decided by computing (RewardDisputes), never by an account: the owner sets the window only.
///         A bond that its winner doesn't take is kept as a credit (Payouts), so that no one can hold up the next epoch.
///         A claim that its account doesn't take reverts: only that account waits.
/// @dev balance = funded - claimed + bonded + credits, plus what was forced in.
contract Rewards is IRewards, Ownable2StepUpgradeable, Payouts {
    address public constant NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    address private constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    uint256 public BOND;
    /// @notice The only caller that may reject a root, or hold its window open.
    address public disputes;
    /// @notice Who gets the platform's part of every settlement.
    address public platform;
    uint64 public disputeWindow;
    uint64 public currentEpoch;
    uint64 private _toBlock;
    uint64 private _finalEpoch;
    bytes32 public root;
    uint256 private _total;
    uint256 private _fundings;
    uint256 private _funded;
    uint256 private _claimedTotal;
    uint256 private _bonded;
    mapping(uint64 epoch => Epoch) private _epochs;
    mapping(address account => uint256 wei_) public claimed;
    mapping(address account => address recipient) private _recipients;

    constructor() {
        _disableInitializers();
    }

    function initialize(address governance, address disputes_, uint256 bond, uint64 disputeWindow_)
        external
        initializer
    {
        __Ownable_init(governance);
        platform = governance;
        disputes = disputes_;
        BOND = bond;
        _setDisputeWindow(disputeWindow_);
    }

    /// @inheritdoc IRewards
    function setDisputeWindow(uint64 seconds_) external onlyOwner {
        _setDisputeWindow(seconds_);
    }

    /// @inheritdoc IRewards
    function fund() external payable returns (uint256 fundingId) {
        if (msg.value == 0) revert ZeroAmount();
        fundingId = ++_fundings;
        _funded += msg.value;
        emit Funded(fundingId, msg.sender, msg.value, _funded);
    }

    /// @inheritdoc IRewards
    /// @dev `toBlock` is a past block after the last final root's: the running block can still change the ledger.
    function proposeRoot(Proposal calldata proposal) external payable returns (uint64 epoch) {
        if (msg.value != BOND) revert WrongBond(msg.value, BOND);
        if (_epochs[currentEpoch].status == RootStatus.Proposed) revert EpochOpen(currentEpoch);
        if (proposal.root == bytes32(0)) revert ZeroRoot();
        if (proposal.records == 0 || proposal.accounts == 0) revert NoRecords();
        if (proposal.prevRoot != root) revert WrongPrevRoot(proposal.prevRoot, root);
        if (proposal.toBlock <= _toBlock || proposal.toBlock >= block.number) {
            revert BadBlockRange(proposal.toBlock, _toBlock);
        }
        if (proposal.total < _total) revert TotalFell(proposal.total, _total);
        if (proposal.total > _funded) revert TotalOverFunded(proposal.total, _funded);

        epoch = ++currentEpoch;
        _bonded += msg.value;
        Epoch storage info = _epochs[epoch];
        info.root = proposal.root;
        info.dataHash = proposal.dataHash;
        info.prevRoot = proposal.prevRoot;
        info.traceRoot = proposal.traceRoot;
        info.treeRoot = proposal.treeRoot;
        info.records = proposal.records;
        info.accounts = proposal.accounts;
        info.fromBlock = _toBlock;
        info.toBlock = proposal.toBlock;
        info.prevEpoch = _finalEpoch;
        info.disputableUntil = uint64(block.timestamp) + disputeWindow;
        info.total = proposal.total;
        info.proposer = msg.sender;
        info.bond = msg.value;
        info.status = RootStatus.Proposed;
        emit RootProposed(
            epoch,
            msg.sender,
            proposal.root,
            proposal.prevRoot,
            proposal.dataHash,
            proposal.traceRoot,
            proposal.treeRoot,
            proposal.records,
            proposal.accounts,
            proposal.toBlock,
            proposal.total,
            info.disputableUntil
        );
    }

    /// @inheritdoc IRewards
    function reject(uint64 epoch, address challenger, string calldata reason) external nonReentrant onlyDisputes {
        Epoch storage info = _inStatus(epoch, RootStatus.Proposed);
        info.status = RootStatus.Rejected;
        info.challenger = challenger;
        emit RootRejected(epoch, challenger, reason);
        uint256 reward = info.bond / 2;
        _releaseBond(challenger, reward);
        _releaseBond(BURN_ADDRESS, info.bond - reward);
    }

    /// @inheritdoc IRewards
    function extendWindow(uint64 epoch, uint64 until) external onlyDisputes {
        Epoch storage info = _inStatus(epoch, RootStatus.Proposed);
        if (until > info.disputableUntil) info.disputableUntil = until;
    }

    /// @inheritdoc IRewards
    function finalize(uint64 epoch) external nonReentrant {
        Epoch storage info = _inStatus(epoch, RootStatus.Proposed);
        if (block.timestamp < info.disputableUntil) revert WindowRunning(epoch, info.disputableUntil);
        _finalize(epoch, info);
        _releaseBond(info.proposer, info.bond);
    }

    /// @inheritdoc IRewards
    function claim(address account, address token, uint256 cumulative, bytes32[] calldata proof)
        external
        nonReentrant
        returns (uint256 amount)
    {
        if (token != NATIVE_TOKEN) revert UnknownToken(token);
        amount = _owed(account, cumulative, proof);
        if (amount == 0) revert NothingToClaim(account, cumulative, claimed[account]);
        if (!_payClaim(account, amount, cumulative)) revert TransferFailed(recipientOf(account), amount);
    }

    /// @inheritdoc IRewards
    function claimMany(Claim[] calldata claims) external nonReentrant returns (uint256 amount) {
        for (uint256 i = 0; i < claims.length; i++) {
            address account = claims[i].account;
            uint256 cumulative = claims[i].cumulative;
            uint256 owed = _owed(account, cumulative, claims[i].proof);
            if (owed != 0 && _payClaim(account, owed, cumulative)) amount += owed;
        }
    }

    /// @inheritdoc IRewards
    /// @dev The zero address takes the override back.
    function setRecipient(address recipient) external {
        _recipients[msg.sender] = recipient;
        emit RecipientSet(msg.sender, recipient);
    }

    /// @inheritdoc IRewards
    /// @dev All zero (status None) where there is no such epoch.
    function epochInfo(uint64 epoch) external view returns (Epoch memory) {
        return _epochs[epoch];
    }

    /// @inheritdoc IRewards
    /// @dev The account itself while it has named nobody else.
    function recipientOf(address account) public view returns (address) {
        address recipient = _recipients[account];
        return recipient == address(0) ? account : recipient;
    }

    /// @inheritdoc IRewards
    function totals() external view returns (uint256 funded, uint256 claimedTotal, uint256 bonded) {
        return (_funded, _claimedTotal, _bonded);
    }

    modifier onlyDisputes() {
        if (msg.sender != disputes) revert NotDisputes(msg.sender);
        _;
    }

    /// @dev What a proven leaf adds to what was claimed; 0 when nothing is new.
    function _owed(address account, uint256 cumulative, bytes32[] calldata proof) private view returns (uint256) {
        if (root == bytes32(0)) revert NoRoot();
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, NATIVE_TOKEN, cumulative))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert BadProof(account, cumulative);
        uint256 before = claimed[account];
        return cumulative > before ? cumulative - before : 0;
    }

    /// @dev Leaves everything as it was when the recipient doesn't take the money.
    function _payClaim(address account, uint256 amount, uint256 cumulative) private returns (bool sent) {
        // A root whose leaves add up to more than its total got past the window: it must not eat into bonds and credits.
        if (_claimedTotal + amount > _total) revert TotalOverFunded(_claimedTotal + amount, _total);
        claimed[account] = cumulative;
        _claimedTotal += amount;
        address recipient = recipientOf(account);
        (sent,) = recipient.call{value: amount}("");
        if (sent) {
            emit Claimed(account, recipient, NATIVE_TOKEN, amount, cumulative);
        } else {
            claimed[account] = cumulative - amount;
            _claimedTotal -= amount;
        }
    }

    function _setDisputeWindow(uint64 seconds_) private {
        disputeWindow = seconds_;
        emit DisputeWindowSet(seconds_);
    }

    function _inStatus(uint64 epoch, RootStatus wanted) private view returns (Epoch storage info) {
        info = _epochs[epoch];
        if (info.status != wanted) revert WrongStatus(epoch, info.status);
    }

    function _finalize(uint64 epoch, Epoch storage info) private {
        info.status = RootStatus.Final;
        root = info.root;
        _total = info.total;
        _toBlock = info.toBlock;
        _finalEpoch = epoch;
        emit RootFinalized(epoch, info.root, info.total);
    }

    function _releaseBond(address winner, uint256 amount) private {
        _bonded -= amount;
        _pay(winner, amount);
    }
}
