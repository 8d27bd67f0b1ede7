import type { LevelDb } from '@openledger/event-log';
import type { JournalOp } from '../l1/txJournal.ts';
import { type ClosedChannel, decodeClosedChannel, encodeClosedChannel } from './closedChannel.ts';

const PREFIX = new TextEncoder().encode('Bc'); // 'Bc' sequence(8): channel

const keyOf = (sequence: number): Uint8Array => {
  const key = new Uint8Array(PREFIX.length + 8);
  key.set(PREFIX);
  new DataView(key.buffer).setBigUint64(PREFIX.length, BigInt(sequence));
  return key;
};

export const putChannel = (channel: ClosedChannel): JournalOp => ({
  type: 'put',
  key: keyOf(channel.sequence),
  value: encodeClosedChannel(channel),
});

export const removeChannel = ({ sequence }: ClosedChannel): JournalOp => ({ type: 'del', key: keyOf(sequence) });

/** In the order of closing. */
export const loadChannels = async (db: LevelDb): Promise<ClosedChannel[]> => {
  const channels: ClosedChannel[] = [];
  for await (const [key, value] of db.iterator({ gte: keyOf(0), lte: keyOf(Number.MAX_SAFE_INTEGER) })) {
    const bytes = key as Uint8Array;
    const sequence = new DataView(bytes.buffer, bytes.byteOffset + PREFIX.length).getBigUint64(0);
    channels.push(decodeClosedChannel(Number(sequence), value));
  }
  return channels;
};
