import type { Hex } from 'viem';
import { zeroHash } from 'viem';
import { MAX_BLOB_DATA_BYTES } from '../../../node/src/channels/blobCodec.ts';
import { ChannelOut } from '../../../node/src/channels/channelOut.ts';
import type { LaneTransaction } from './laneLoad.ts';

export type L1Data = {
  /** As the batcher sends it: a span batch, brotli. */
  readonly bytesPerEvent: number;
  readonly eventsPerBlob: number;
  /** Times the blob base fee: wei of L1 for an attribution. */
  readonly blobGasPerEvent: number;
};

const BLOB_GAS = 131_072;
/** About as much as a channel holds. */
const TRANSACTIONS = 60;
const PER_BLOCK = 9;

/** What attributions take on L1, by the batcher's own channel. */
export const measureL1Data = (transactions: readonly LaneTransaction[], chainId: number): L1Data => {
  const some = transactions.slice(0, TRANSACTIONS);
  const channel = new ChannelOut({
    kind: 'span',
    compression: 'brotli',
    chainId,
    genesisTime: 0n,
    blockTime: 1n,
    maxRlpBytes: 100_000_000,
  });
  for (let at = 0; at < some.length; at += PER_BLOCK) {
    channel.add({
      parentHash: zeroHash,
      timestamp: BigInt(1 + at / PER_BLOCK),
      epoch: { number: 0n, hash: zeroHash as Hex },
      sequenceNumber: BigInt(at / PER_BLOCK),
      transactions: some.slice(at, at + PER_BLOCK).map(({ raw }) => raw),
    });
  }
  channel.close();
  const events = some.reduce((sum, transaction) => sum + transaction.events, 0);
  const bytesPerEvent = channel.compressedBytes / events;
  const eventsPerBlob = MAX_BLOB_DATA_BYTES / bytesPerEvent;
  return { bytesPerEvent, eventsPerBlob, blobGasPerEvent: BLOB_GAS / eventsPerBlob };
};
