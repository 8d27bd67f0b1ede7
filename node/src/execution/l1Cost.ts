import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { type Fork, includesFork, opPredeploys } from '@openledger/chain-config';
import { bytesToBigInt, numberToBytes } from 'viem';
import { fromHex } from '../primitives/hex.ts';
import type { L2Transaction } from '../primitives/transaction.ts';
import { fastLzLength } from './fastLz.ts';

/** What the L1Block predeploy says, read after the block's L1 attributes deposit. Fees in wei, scalars with 6 decimals. */
export type L1FeeParams = {
  readonly baseFee: bigint;
  /** Before Ecotone: gas per transaction, and the factor on the whole. */
  readonly overhead: bigint;
  readonly scalar: bigint;
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
    overhead: await slot(5n),
    scalar: await slot(6n),
    blobBaseFee,
    blobBaseFeeScalar: Number(bits(scalars, 64, 32)),
    baseFeeScalar: Number(bits(scalars, 96, 32)),
    operatorFeeConstant: bits(operator, 0, 64),
    operatorFeeScalar: Number(bits(operator, 64, 32)),
    daFootprintGasScalar: Number(bits(operator, 96, 16)) || DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
  };
};

/** What FastLZ makes of a transaction is asked for at admission and again when it is executed. */
const sizes = new WeakMap<Pick<L2Transaction, 'raw'>, bigint>();

/** `estimatedSizeScaled` of a transaction, computed once. */
export const sizeScaledOfTransaction = (transaction: Pick<L2Transaction, 'raw'>): bigint => {
  const known = sizes.get(transaction);
  if (known !== undefined) return known;
  const size = estimatedSizeScaled(fromHex(transaction.raw));
  sizes.set(transaction, size);
  return size;
};

export type L1Fee = { readonly l1Fee: bigint; readonly l1GasUsed: bigint };

/**
 * What a transaction pays for its data on L1, by the rules of `fork` (specs: predeploys.md, ecotone and fjord exec-engine.md).
 * `sizeScaled` where it is known already.
 */
export const l1FeeOf = (fork: Fork, raw: Uint8Array, p: L1FeeParams, sizeScaled?: bigint): L1Fee => {
  if (includesFork(fork, 'fjord')) {
    const size = sizeScaled ?? estimatedSizeScaled(raw);
    return { l1Fee: l1DataFee(size, p), l1GasUsed: (size * 16n) / MILLION };
  }
  // In Ecotone's first block L1Block still has the old format.
  const upgraded = p.blobBaseFee !== 0n || p.baseFeeScalar !== 0 || p.blobBaseFeeScalar !== 0;
  if (includesFork(fork, 'ecotone') && upgraded) {
    const l1GasUsed = calldataGas(raw);
    const price = 16n * BigInt(p.baseFeeScalar) * p.baseFee + BigInt(p.blobBaseFeeScalar) * p.blobBaseFee;
    return { l1Fee: (l1GasUsed * price) / (16n * MILLION), l1GasUsed };
  }
  const signature = includesFork(fork, 'regolith') ? 0n : 68n * NONZERO_BYTE_GAS;
  const l1GasUsed = calldataGas(raw) + signature + p.overhead;
  return { l1Fee: (l1GasUsed * p.baseFee * p.scalar) / MILLION, l1GasUsed };
};

const MILLION = 1_000_000n;
const NONZERO_BYTE_GAS = 16n;
const ZERO_BYTE_GAS = 4n;

const calldataGas = (raw: Uint8Array): bigint => {
  let gas = 0n;
  for (const byte of raw) gas += byte === 0 ? ZERO_BYTE_GAS : NONZERO_BYTE_GAS;
  return gas;
};

const MIN_SIZE_SCALED = 100_000_000n;

/** Estimated bytes on L1 after compression, times 1e6 (fjord/exec-engine.md). */
export const estimatedSizeScaled = (raw: Uint8Array): bigint => sizeScaledOf(fastLzLength(raw));

/** The same from the length that FastLZ gives. */
export const sizeScaledOf = (fastLz: number): bigint => {
  const estimate = 836_500n * BigInt(fastLz) - 42_585_600n;
  return estimate < MIN_SIZE_SCALED ? MIN_SIZE_SCALED : estimate;
};

export const l1DataFee = (sizeScaled: bigint, p: L1FeeParams): bigint =>
  (sizeScaled * (16n * BigInt(p.baseFeeScalar) * p.baseFee + BigInt(p.blobBaseFeeScalar) * p.blobBaseFee)) /
  1_000_000_000_000n;

/** isthmus/exec-engine.md: the scalar has 6 decimals; jovian/exec-engine.md: it is per gas times 100. */
export const operatorFee = (fork: Fork, gas: bigint, p: L1FeeParams): bigint => {
  if (!includesFork(fork, 'isthmus')) return 0n;
  const perGas = gas * BigInt(p.operatorFeeScalar);
  return (includesFork(fork, 'jovian') ? perGas * 100n : perGas / MILLION) + p.operatorFeeConstant;
};

/** jovian/exec-engine.md: the gas that a transaction's data takes of the block's data availability. */
export const daFootprint = (fork: Fork, sizeScaled: bigint, p: L1FeeParams): bigint =>
  includesFork(fork, 'jovian') ? (sizeScaled / MILLION) * BigInt(p.daFootprintGasScalar) : 0n;
