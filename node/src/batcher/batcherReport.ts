import type { ClosedChannel } from './closedChannel.ts';

/** What the channels cost that got to L1 and into the safe chain since the start. */
export type BatcherReport = {
  readonly channels: number;
  readonly l2Blocks: bigint;
  readonly l2Transactions: number;
  /** Of the L2 transactions as they were signed. */
  readonly inputBytes: number;
  readonly compressedBytes: number;
  /** Wei of ETH. */
  readonly l1Cost: bigint;
  /** Compressed by input bytes; absent without input. */
  readonly compressionRatio?: number;
  /** Wei of ETH; absent without transactions. */
  readonly l1CostPerTransaction?: bigint;
};

export const emptyReport: BatcherReport = {
  channels: 0,
  l2Blocks: 0n,
  l2Transactions: 0,
  inputBytes: 0,
  compressedBytes: 0,
  l1Cost: 0n,
};

export const addToReport = (report: BatcherReport, channel: ClosedChannel, l1Cost: bigint): BatcherReport => {
  const sum = {
    channels: report.channels + 1,
    l2Blocks: report.l2Blocks + channel.last.number - channel.first + 1n,
    l2Transactions: report.l2Transactions + channel.l2Transactions,
    inputBytes: report.inputBytes + channel.inputBytes,
    compressedBytes: report.compressedBytes + channel.compressedBytes,
    l1Cost: report.l1Cost + l1Cost,
  };
  return {
    ...sum,
    ...(sum.inputBytes > 0 ? { compressionRatio: sum.compressedBytes / sum.inputBytes } : {}),
    ...(sum.l2Transactions > 0 ? { l1CostPerTransaction: sum.l1Cost / BigInt(sum.l2Transactions) } : {}),
  };
};
