// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {Payouts} from "./lib/Payouts.sol";
import {Text} from "./lib/Text.sol";

/// @title Cumulative Merkle distribution of job fees.
/// @notice A bond that its winner doesn't take is kept as a credit (Payouts), so that no one can hold up the next epoch.
///         A claim that its account doesn't take reverts: only that account waits.
/// @dev balance = funded - claimed + bonded + credits, plus what was forced in.
contract Rewards is IRewards, Ownable2StepUpgradeable, Payouts {
    address public constant NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    uint256 public BOND;
    uint64 public disputeWindow;
    uint64 public currentEpoch;
    uint64 private _toBlock;
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

    function initialize(address governance, uint256 bond, uint64 disputeWindow_) external initializer {
        __Ownable_init(governance);
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
    function proposeRoot(bytes32 root_, bytes32 prevRoot, bytes32 dataHash, uint64 toBlock, uint256 total)
        external
        payable
        returns (uint64 epoch)
    {
        if (msg.value != BOND) revert WrongBond(msg.value, BOND);
        RootStatus last = _epochs[currentEpoch].status;
        if (last == RootStatus.Proposed || last == RootStatus.Disputed) revert EpochOpen(currentEpoch);
        if (root_ == bytes32(0)) revert ZeroRoot();
        if (prevRoot != root) revert WrongPrevRoot(prevRoot, root);
        if (toBlock <= _toBlock || toBlock >= block.number) revert BadBlockRange(toBlock, _toBlock);
        if (total < _total) revert TotalFell(total, _total);
        if (total > _funded) revert TotalOverFunded(total, _funded);

        epoch = ++currentEpoch;
        uint64 disputableUntil = uint64(block.timestamp) + disputeWindow;
        _bonded += msg.value;
        _epochs[epoch] = Epoch({
            root: root_,
            dataHash: dataHash,
            prevRoot: prevRoot,
            toBlock: toBlock,
            disputableUntil: disputableUntil,
            total: total,
            proposer: msg.sender,
            challenger: address(0),
            bond: msg.value,
            status: RootStatus.Proposed
        });
        emit RootProposed(epoch, msg.sender, root_, prevRoot, dataHash, toBlock, total, disputableUntil);
    }

    /// @inheritdoc IRewards
    function dispute(uint64 epoch, string calldata reason) external payable {
        Epoch storage info = _inStatus(epoch, RootStatus.Proposed);
        if (block.timestamp >= info.disputableUntil) revert WindowOver(epoch, info.disputableUntil);
        if (msg.value != info.bond) revert WrongBond(msg.value, info.bond);
        if (bytes(reason).length > Text.MAX_DESCRIPTION) {
            revert TextTooLong(bytes(reason).length, Text.MAX_DESCRIPTION);
        }
        info.status = RootStatus.Disputed;
        info.challenger = msg.sender;
        _bonded += msg.value;
        emit RootDisputed(epoch, msg.sender, reason);
    }

    /// @inheritdoc IRewards
    function resolve(uint64 epoch, bool upheld) external onlyOwner nonReentrant {
        Epoch storage info = _inStatus(epoch, RootStatus.Disputed);
        emit RootResolved(epoch, upheld);
        if (upheld) {
            _finalize(epoch, info);
        } else {
            info.status = RootStatus.Rejected;
        }
        _releaseBonds(upheld ? info.proposer : info.challenger, info.bond * 2);
    }

    /// @inheritdoc IRewards
    function finalize(uint64 epoch) external nonReentrant {
        Epoch storage info = _inStatus(epoch, RootStatus.Proposed);
        if (block.timestamp < info.disputableUntil) revert WindowRunning(epoch, info.disputableUntil);
        _finalize(epoch, info);
        _releaseBonds(info.proposer, info.bond);
    }

    /// @inheritdoc IRewards
    function claim(address account, address token, uint256 cumulative, bytes32[] calldata proof)
        external
        nonReentrant
        returns (uint256 amount)
    {
        if (token != NATIVE_TOKEN) revert UnknownToken(token);
        if (root == bytes32(0)) revert NoRoot();
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, token, cumulative))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert BadProof(account, cumulative);
        uint256 before = claimed[account];
        if (cumulative <= before) revert NothingToClaim(account, cumulative, before);
        amount = cumulative - before;
        // A root whose leaves add up to more than its total got past the window: it must not eat into bonds and credits.
        if (_claimedTotal + amount > _total) revert TotalOverFunded(_claimedTotal + amount, _total);
        claimed[account] = cumulative;
        _claimedTotal += amount;
        address recipient = recipientOf(account);
        emit Claimed(account, recipient, token, amount, cumulative);
        (bool sent,) = recipient.call{value: amount}("");
        if (!sent) revert TransferFailed(recipient, amount);
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
        emit RootFinalized(epoch, info.root, info.total);
    }

    function _releaseBonds(address winner, uint256 amount) private {
        _bonded -= amount;
        _pay(winner, amount);
    }
}
