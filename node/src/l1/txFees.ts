import type { L1Fees } from './l1Sender.ts';

/** What a transaction offers for gas, wei; `maxFeePerBlobGas` is zero without blobs. */
export type TxFees = {
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxFeePerBlobGas: bigint;
};

export type TxFeeOptions = {
  readonly minTip: bigint;
  readonly minBlobFee: bigint;
  /** More is never offered per gas or blob gas. */
  readonly maxFeePerGas: bigint;
  readonly maxFeePerBlobGas: bigint;
};

const GWEI = 10n ** 9n;

export const defaultTxFeeOptions: TxFeeOptions = {
  minTip: GWEI,
  minBlobFee: GWEI,
  maxFeePerGas: 1_000n * GWEI,
  maxFeePerBlobGas: 1_000n * GWEI,
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Room for base fees that double: about six full L1 blocks. */
export const freshFees = (fees: L1Fees, isBlob: boolean, options: TxFeeOptions): TxFees => {
  const tip = max(fees.tip, options.minTip);
  return {
    maxPriorityFeePerGas: tip,
    maxFeePerGas: 2n * fees.baseFee + tip,
    maxFeePerBlobGas: isBlob ? max(2n * fees.blobBaseFee, options.minBlobFee) : 0n,
  };
};

/** What pools ask of a replacement: every fee 10% higher, with blobs 100% (geth's `PriceBump` of legacypool and blobpool). */
const BUMP_PERCENT = { plain: 10n, blob: 100n } as const;

export const bumpedFees = (previous: TxFees, fees: L1Fees, isBlob: boolean, options: TxFeeOptions): TxFees => {
  const percent = 100n + (isBlob ? BUMP_PERCENT.blob : BUMP_PERCENT.plain);
  const bump = (fee: bigint) => (fee * percent + 99n) / 100n;
  const fresh = freshFees(fees, isBlob, options);
  return {
    maxPriorityFeePerGas: max(bump(previous.maxPriorityFeePerGas), fresh.maxPriorityFeePerGas),
    maxFeePerGas: max(bump(previous.maxFeePerGas), fresh.maxFeePerGas),
    maxFeePerBlobGas: max(bump(previous.maxFeePerBlobGas), fresh.maxFeePerBlobGas),
  };
};

export const isWithinCap = (fees: TxFees, options: TxFeeOptions): boolean =>
  fees.maxFeePerGas <= options.maxFeePerGas && fees.maxFeePerBlobGas <= options.maxFeePerBlobGas;
