// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FastLz} from "./lib/FastLz.sol";

/// @dev The part of the L1Block predeploy that fees are computed from.
interface IL1Fees {
    function basefee() external view returns (uint256);
    function blobBaseFee() external view returns (uint256);
    function baseFeeScalar() external view returns (uint32);
    function blobBaseFeeScalar() external view returns (uint32);
    function operatorFeeScalar() external view returns (uint32);
    function operatorFeeConstant() external view returns (uint64);
}

/// @title What a transaction pays beside its execution: the OP Stack predeploy 0x420000000000000000000000000000000000000F.
/// @notice For a chain on which every fork up to Jovian is active since its first block, so that the forks' flags are
///         constants and there is nothing to be set. Names and results are the OP Stack's; amounts in wei of the L2 coin.
contract GasPriceOracle {
    IL1Fees private constant L1_BLOCK = IL1Fees(0x4200000000000000000000000000000000000015);

    uint256 public constant DECIMALS = 6;

    /// @dev Linear estimate of a transaction's part of a compressed batch (fjord/exec-engine.md), in millionths of a byte.
    uint256 private constant MIN_SIZE = 100e6;
    uint256 private constant SIZE_PER_BYTE = 836_500;
    uint256 private constant SIZE_OFFSET = 42_585_600;
    /// @dev What a signature adds to an unsigned transaction.
    uint256 private constant SIGNATURE_BYTES = 68;

    /// @notice Bedrock's parameter is not part of the fee any more.
    error Deprecated();

    /// @param unsignedTransaction RLP of a transaction without its signature
    function getL1Fee(bytes memory unsignedTransaction) external view returns (uint256) {
        return _l1Fee(FastLz.compressedLength(unsignedTransaction) + SIGNATURE_BYTES);
    }

    /// @notice The most that an unsigned transaction of this many bytes can pay, whatever is in it.
    function getL1FeeUpperBound(uint256 unsignedSize) external view returns (uint256) {
        uint256 size = unsignedSize + SIGNATURE_BYTES;
        return _l1Fee(size + size / 255 + 16);
    }

    /// @notice L1 gas of the estimated bytes at 16 each; informative, the fee has two prices since Ecotone.
    function getL1GasUsed(bytes memory unsignedTransaction) external pure returns (uint256) {
        return (_estimatedSize(FastLz.compressedLength(unsignedTransaction) + SIGNATURE_BYTES) * 16) / 10 ** DECIMALS;
    }

    /// @notice Jovian's formula: the scalar counts hundreds of wei for a unit of gas. At most 2^256 - 1.
    function getOperatorFee(uint256 gasUsed) external view returns (uint256) {
        uint256 perGas = uint256(L1_BLOCK.operatorFeeScalar()) * 100;
        return Math.saturatingAdd(Math.saturatingMul(gasUsed, perGas), L1_BLOCK.operatorFeeConstant());
    }

    function gasPrice() external view returns (uint256) {
        return block.basefee;
    }

    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    function l1BaseFee() public view returns (uint256) {
        return L1_BLOCK.basefee();
    }

    function blobBaseFee() public view returns (uint256) {
        return L1_BLOCK.blobBaseFee();
    }

    function baseFeeScalar() public view returns (uint32) {
        return L1_BLOCK.baseFeeScalar();
    }

    function blobBaseFeeScalar() public view returns (uint32) {
        return L1_BLOCK.blobBaseFeeScalar();
    }

    function overhead() external pure returns (uint256) {
        revert Deprecated();
    }

    function scalar() external pure returns (uint256) {
        revert Deprecated();
    }

    function decimals() external pure returns (uint256) {
        return DECIMALS;
    }

    function isEcotone() external pure returns (bool) {
        return true;
    }

    function isFjord() external pure returns (bool) {
        return true;
    }

    function isIsthmus() external pure returns (bool) {
        return true;
    }

    function isJovian() external pure returns (bool) {
        return true;
    }

    function version() external pure returns (string memory) {
        return "1.6.0+openledger";
    }

    function _l1Fee(uint256 compressedSize) private view returns (uint256) {
        uint256 price = uint256(baseFeeScalar()) * 16 * l1BaseFee() + uint256(blobBaseFeeScalar()) * blobBaseFee();
        return (_estimatedSize(compressedSize) * price) / 10 ** (2 * DECIMALS);
    }

    function _estimatedSize(uint256 compressedSize) private pure returns (uint256) {
        uint256 scaled = compressedSize * SIZE_PER_BYTE;
        return scaled < MIN_SIZE + SIZE_OFFSET ? MIN_SIZE : scaled - SIZE_OFFSET;
    }
}
