import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Hex, hexToBytes, parseTransaction } from 'viem';
import { encodeBatch, readBatches } from '../../../node/src/channels/batch.ts';
import { concat } from '../../../node/src/channels/bytes.ts';
import { Channel } from '../../../node/src/channels/channel.ts';
import { decompressChannel } from '../../../node/src/channels/compression.ts';
import { encodeBatcherTransaction, parseFrames } from '../../../node/src/channels/frame.ts';
import { toHex } from '../../../node/src/primitives/hex.ts';
import type { Suite } from '../suite.ts';
import { expectEqual, expectRefused } from './support/expect.ts';
import { type FixtureFile, filesUnder } from './support/fixtureFiles.ts';

const MAX_RLP_BYTES = 100_000_000;

/** What the folder's README says of a file, up to the next one. */
const described = (fixtures: string, file: string): string => {
  const readme = join(fixtures, 'README.md');
  const text = existsSync(readme) ? readFileSync(readme, 'utf8') : '';
  const start = text.indexOf(`kona-derive/${file}:`);
  return start < 0 ? '' : (text.slice(start).split(/\n\* /)[0] ?? '');
};

/** By convention a chain's batch inbox ends in its id: 0xff00..0010 is OP Mainnet's. */
const chainOf = (inbox: Hex): number => Number(inbox.slice(4));

/** The transaction's bytes all the way down to batches, and up again. */
const check = async (file: FixtureFile, description: string): Promise<void> => {
  const transaction = parseTransaction(toHex(file.bytes));
  const payload = hexToBytes(transaction.data ?? '0x');
  const chainId = chainOf(transaction.to ?? '0x');
  const frames = parseFrames(payload);
  expectEqual(toHex(encodeBatcherTransaction(frames)), toHex(payload), 'frames encoded again');
  await expectRefused(() => parseFrames(payload.subarray(0, -1)), 'a batcher transaction that is cut short');

  const first = frames[0];
  if (!first) throw new Error('no frames');
  const channel = new Channel(first.channelId, 0n);
  for (const frame of frames) expectEqual(channel.add(frame), true, `frame ${frame.frameNumber} taken`);
  expectEqual(channel.isReady, true, 'channel complete');
  const content = decompressChannel(channel.data(), { maxRlpBytes: MAX_RLP_BYTES, brotli: true });
  const hash = /sha256 ([0-9a-f]{64})/.exec(description)?.[1];
  if (hash) expectEqual(createHash('sha256').update(content).digest('hex'), hash, 'sha256 of the content');

  const batches = [...readBatches(content, chainId)];
  expectEqual(batches.length > 0, true, 'has batches');
  if (/exactly one span batch/.test(description))
    expectEqual(
      batches.map(({ type }) => type),
      ['span'],
      'batches',
    );
  const again = concat(batches.map((batch) => encodeBatch(batch, chainId)));
  expectEqual(toHex(again), toHex(content), 'batches encoded again');
};

/** Batcher transactions of real chains, each with a whole channel. */
export const batcherTx: Suite = {
  name: 'batcher-tx',
  cases: async (fixtures) => {
    const files = filesUnder(join(fixtures, 'kona-derive')).filter(({ path }) => /batcher_tx/.test(path));
    if (files.length === 0) return undefined;
    return files.map((file) => ({ name: file.path, run: () => check(file, described(fixtures, file.path)) }));
  },
};
