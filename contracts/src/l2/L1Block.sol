// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StorageSlot} from "@openzeppelin/contracts/utils/StorageSlot.sol";

/// @title What L2 knows about L1: the OP Stack predeploy 0x4200000000000000000000000000000000000015.
/// @notice Written by the first transaction of each block. Slots, getters and selectors are those of the OP Stack (Bedrock
///         to Jovian, with the legacy custom gas token functions), so that OP clients and contracts read it unchanged.
/// @dev The order of the state variables IS the slot layout. The packed setters take their fields straight from
///      msg.data, without ABI padding; slices revert when the data is too short.
contract L1Block {
    address private constant DEPOSITOR = 0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001;
    /// @dev Stands for "no custom gas token".
    address private constant ETHER = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    bytes32 private constant GAS_TOKEN_SLOT = bytes32(uint256(keccak256("opstack.gaspayingtoken")) - 1);
    bytes32 private constant GAS_TOKEN_NAME_SLOT = bytes32(uint256(keccak256("opstack.gaspayingtokenname")) - 1);
    bytes32 private constant GAS_TOKEN_SYMBOL_SLOT = bytes32(uint256(keccak256("opstack.gaspayingtokensymbol")) - 1);

    uint64 public number; // slot 0
    uint64 public timestamp;
    uint256 public basefee; // slot 1
    bytes32 public hash; // slot 2
    uint64 public sequenceNumber; // slot 3; the L2 block's place in its epoch
    uint32 public blobBaseFeeScalar;
    uint32 public baseFeeScalar;
    bytes32 public batcherHash; // slot 4
    uint256 public l1FeeOverhead; // slot 5; until Ecotone
    uint256 public l1FeeScalar; // slot 6; until Ecotone
    uint256 public blobBaseFee; // slot 7
    uint64 public operatorFeeConstant; // slot 8; since Isthmus
    uint32 public operatorFeeScalar;
    uint16 public daFootprintGasScalar; // since Jovian

    event GasPayingTokenSet(address indexed token, uint8 indexed decimals, bytes32 name, bytes32 symbol);

    error NotDepositor();

    modifier onlyDepositor() {
        if (msg.sender != DEPOSITOR) revert NotDepositor();
        _;
    }

    /// @notice Bedrock's setter, still used by the block that activates Ecotone.
    function setL1BlockValues(
        uint64 number_,
        uint64 timestamp_,
        uint256 basefee_,
        bytes32 hash_,
        uint64 sequenceNumber_,
        bytes32 batcherHash_,
        uint256 l1FeeOverhead_,
        uint256 l1FeeScalar_
    ) external onlyDepositor {
        number = number_;
        timestamp = timestamp_;
        basefee = basefee_;
        hash = hash_;
        sequenceNumber = sequenceNumber_;
        batcherHash = batcherHash_;
        l1FeeOverhead = l1FeeOverhead_;
        l1FeeScalar = l1FeeScalar_;
    }

    /// @notice 164 bytes: selector, u32 baseFeeScalar, u32 blobBaseFeeScalar, u64 sequenceNumber, u64 timestamp,
    ///         u64 number, u256 basefee, u256 blobBaseFee, bytes32 hash, bytes32 batcherHash.
    function setL1BlockValuesEcotone() external onlyDepositor {
        _setEcotone();
    }

    /// @notice 176 bytes: as Ecotone, then u32 operatorFeeScalar, u64 operatorFeeConstant.
    function setL1BlockValuesIsthmus() external onlyDepositor {
        _setIsthmus();
    }

    /// @notice 178 bytes: as Isthmus, then u16 daFootprintGasScalar.
    function setL1BlockValuesJovian() external onlyDepositor {
        _setIsthmus();
        daFootprintGasScalar = uint16(bytes2(msg.data[176:178]));
    }

    /// @notice Names the L1 ERC-20 that is L2's gas coin; comes as a deposit from SystemConfig on L1.
    /// @param name_ left-aligned, zero-padded, as `symbol_`
    function setGasPayingToken(address token_, uint8 decimals_, bytes32 name_, bytes32 symbol_)
        external
        onlyDepositor
    {
        StorageSlot.getUint256Slot(GAS_TOKEN_SLOT).value = (uint256(decimals_) << 160) | uint160(token_);
        StorageSlot.getBytes32Slot(GAS_TOKEN_NAME_SLOT).value = name_;
        StorageSlot.getBytes32Slot(GAS_TOKEN_SYMBOL_SLOT).value = symbol_;
        emit GasPayingTokenSet(token_, decimals_, name_, symbol_);
    }

    /// @notice The L1 token behind the gas coin and its decimals; the ether address and 18 while none is set.
    function gasPayingToken() public view returns (address addr_, uint8 decimals_) {
        uint256 packed = StorageSlot.getUint256Slot(GAS_TOKEN_SLOT).value;
        addr_ = address(uint160(packed));
        return addr_ == address(0) ? (ETHER, 18) : (addr_, uint8(packed >> 160));
    }

    function gasPayingTokenName() external view returns (string memory name_) {
        return isCustomGasToken() ? _text(GAS_TOKEN_NAME_SLOT) : "Ether";
    }

    function gasPayingTokenSymbol() external view returns (string memory symbol_) {
        return isCustomGasToken() ? _text(GAS_TOKEN_SYMBOL_SLOT) : "ETH";
    }

    function isCustomGasToken() public view returns (bool) {
        (address token,) = gasPayingToken();
        return token != ETHER;
    }

    function DEPOSITOR_ACCOUNT() external pure returns (address addr_) {
        return DEPOSITOR;
    }

    function version() external pure returns (string memory) {
        return "1.7.0+openledger";
    }

    function _setIsthmus() private {
        _setEcotone();
        operatorFeeScalar = uint32(bytes4(msg.data[164:168]));
        operatorFeeConstant = uint64(bytes8(msg.data[168:176]));
    }

    function _setEcotone() private {
        baseFeeScalar = uint32(bytes4(msg.data[4:8]));
        blobBaseFeeScalar = uint32(bytes4(msg.data[8:12]));
        sequenceNumber = uint64(bytes8(msg.data[12:20]));
        timestamp = uint64(bytes8(msg.data[20:28]));
        number = uint64(bytes8(msg.data[28:36]));
        basefee = uint256(bytes32(msg.data[36:68]));
        blobBaseFee = uint256(bytes32(msg.data[68:100]));
        hash = bytes32(msg.data[100:132]);
        batcherHash = bytes32(msg.data[132:164]);
    }

    /// @dev A text of up to 32 bytes, ended by the first zero byte.
    function _text(bytes32 slot) private view returns (string memory) {
        bytes32 raw = StorageSlot.getBytes32Slot(slot).value;
        uint256 length = 0;
        while (length < 32 && raw[length] != 0) length++;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; i++) text[i] = raw[i];
        return string(text);
    }
}
