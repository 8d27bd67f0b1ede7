import { type Hex, hexToBytes } from 'viem';
import { MAX_BLOB_DATA_BYTES } from '../channels/blobCodec.ts';
import { FRAME_OVERHEAD } from '../channels/frame.ts';
import type { L1Fees } from '../l1/l1Sender.ts';
import type { BatcherOptions, DataKind } from './batcherOptions.ts';

const TX_GAS = 21_000n;
const BLOB_GAS = 131_072n;
/** A byte of a batcher transaction tells its version. */
const VERSION_BYTES = 1;

/** Gas of a transfer with this calldata: the larger of intrinsic gas (EIP-2028) and the floor of EIP-7623. */
export const calldataGas = (data: Hex): bigint => {
  const bytes = hexToBytes(data);
  const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  return gasOf(BigInt(zeros), BigInt(bytes.length - zeros));
};

const gasOf = (zeros: bigint, nonZeros: bigint): bigint => {
  const intrinsic = 4n * zeros + 16n * nonZeros;
  const floor = 10n * (zeros + 4n * nonZeros);
  return TX_GAS + (intrinsic > floor ? intrinsic : floor);
};

/** Size of a whole frame that fits into one calldata transaction, or one blob. */
export const maxFrameSize = (kind: DataKind, options: BatcherOptions): number =>
  (kind === 'blobs' ? MAX_BLOB_DATA_BYTES : options.maxL1TxSize) - VERSION_BYTES;

/** Bytes of compressed channel that fill the frames that are aimed at. */
export const targetBytes = (kind: DataKind, options: BatcherOptions): number =>
  options.targetFrames[kind] * (maxFrameSize(kind, options) - FRAME_OVERHEAD);

/** Wei that so many compressed bytes cost on L1. */
export const dataCost = (kind: DataKind, bytes: number, fees: L1Fees, options: BatcherOptions): bigint => {
  const frames = BigInt(Math.ceil(bytes / (maxFrameSize(kind, options) - FRAME_OVERHEAD)));
  const gasPrice = fees.baseFee + fees.tip;
  if (kind === 'calldata') return (gasOf(0n, BigInt(bytes)) + (frames - 1n) * TX_GAS) * gasPrice;
  const transactions = (frames + BigInt(options.blobsPerTx) - 1n) / BigInt(options.blobsPerTx);
  return transactions * TX_GAS * gasPrice + frames * BLOB_GAS * fees.blobBaseFee;
};

export const chooseData = (bytes: number, fees: L1Fees, options: BatcherOptions): DataKind => {
  if (options.dataAvailability !== 'auto') return options.dataAvailability;
  const cost = (kind: DataKind) => dataCost(kind, bytes, fees, options);
  return cost('blobs') < cost('calldata') ? 'blobs' : 'calldata';
};
