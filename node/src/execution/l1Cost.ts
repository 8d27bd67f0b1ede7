import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { opPredeploys } from '@openledger/chain-config';
import { bytesToBigInt, numberToBytes } from 'viem';
import { fastLzLength } from './fastLz.ts';

/** What the L1Block predeploy says, read after the block's L1 attributes deposit. Fees in wei, scalars with 6 decimals. */
export type L1FeeParams = {
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  readonly baseFeeScalar: number;
  readonly blobBaseFeeScalar: number;
  readonly operatorFeeScalar: number;
  readonly operatorFeeConstant: bigint;
  readonly daFootprintGasScalar: number;
};

const l1Block = createAddressFromString(opPredeploys.l1Block);
const slotKey = (slot: bigint): Uint8Array => numberToBytes(slot, { size: 32 });
const bits = (word: bigint, offset: number, size: number): bigint =>
  (word >> BigInt(offset)) & ((1n << BigInt(size)) - 1n);

/** jovian/exec-engine.md: an unset scalar means this. */
const DEFAULT_DA_FOOTPRINT_GAS_SCALAR = 400;

export const readL1FeeParams = async (state: MerkleStateManager): Promise<L1FeeParams> => {
  const slot = async (index: bigint): Promise<bigint> => {
    const bytes = await state.getStorage(l1Block, slotKey(index));
    return bytes.length === 0 ? 0n : bytesToBigInt(bytes);
  };
  const [baseFee, scalars, blobBaseFee, operator] = [await slot(1n), await slot(3n), await slot(7n), await slot(8n)];
  return {
    baseFee,
    blobBaseFee,
    blobBaseFeeScalar: Number(bits(scalars, 64, 32)),
    baseFeeScalar: Number(bits(scalars, 96, 32)),
    operatorFeeConstant: bits(operator, 0, 64),
    operatorFeeScalar: Number(bits(operator, 64, 32)),
    daFootprintGasScalar: Number(bits(operator, 96, 16)) || DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
  };
};

const MIN_SIZE_SCALED = 100_000_000n;

/** Estimated bytes on L1 after compression, times 1e6 (fjord/exec-engine.md). */
export const estimatedSizeScaled = (raw: Uint8Array): bigint => {
  const estimate = 836_500n * BigInt(fastLzLength(raw)) - 42_585_600n;
  return estimate < MIN_SIZE_SCALED ? MIN_SIZE_SCALED : estimate;
};

export const l1DataFee = (sizeScaled: bigint, p: L1FeeParams): bigint =>
  (sizeScaled * (16n * BigInt(p.baseFeeScalar) * p.baseFee + BigInt(p.blobBaseFeeScalar) * p.blobBaseFee)) /
  1_000_000_000_000n;

/** jovian/exec-engine.md: the scalar is per gas times 100. */
export const operatorFee = (gas: bigint, p: L1FeeParams): bigint =>
  gas * BigInt(p.operatorFeeScalar) * 100n + p.operatorFeeConstant;

export const daFootprint = (sizeScaled: bigint, p: L1FeeParams): bigint =>
  (sizeScaled / 1_000_000n) * BigInt(p.daFootprintGasScalar);
