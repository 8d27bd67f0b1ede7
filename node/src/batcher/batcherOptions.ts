import type { Compression } from '../channels/compression.ts';

export type DataKind = 'calldata' | 'blobs';

export type BatcherOptions = {
  /** `auto`: whichever is cheaper at L1's fees of the moment. */
  readonly dataAvailability: DataKind | 'auto';
  readonly batchKind: 'singular' | 'span';
  readonly compression: Compression;
  /** Bytes of calldata of one L1 transaction. */
  readonly maxL1TxSize: number;
  /** Frames that a channel is filled to: blobs, or transactions with calldata. */
  readonly targetFrames: { readonly calldata: number; readonly blobs: number };
  /** EIP-7594 allows six. */
  readonly blobsPerTx: number;
  /** L1 blocks after which a channel is closed even if it isn't full. */
  readonly maxChannelDuration: bigint;
  /** L1 blocks that are left of the sequencing window when a channel is closed for its sake. */
  readonly safetyMargin: bigint;
  /** L1 blocks that the safe head may be behind confirmed data where derivation doesn't say how far it is. */
  readonly safeHeadPatience: bigint;
  /** Closed channels that may wait; while there are more, no blocks are read. */
  readonly maxQueuedChannels: number;
  readonly pollIntervalMs: number;
};

/** As op-batcher's, where it has them. */
export const defaultBatcherOptions: BatcherOptions = {
  dataAvailability: 'auto',
  batchKind: 'span',
  compression: 'brotli',
  maxL1TxSize: 120_000,
  targetFrames: { calldata: 1, blobs: 6 },
  blobsPerTx: 6,
  maxChannelDuration: 5n,
  safetyMargin: 10n,
  safeHeadPatience: 32n,
  maxQueuedChannels: 8,
  pollIntervalMs: 2_000,
};
