import type { ScriptedL1 } from '../../node/test/support/scriptedL1.ts';
import type { BatcherOptions } from '../../node/test/support/testBatcher.ts';
import { TestBatcher } from '../../node/test/support/testBatcher.ts';
import { BLOCKS, type BuiltChain, buildChain, makeL1, TRANSACTIONS } from './derive/buildChain.ts';
import { attributesOnly, direct, type Follower, verifier } from './derive/followers.ts';
import { median } from './median.ts';
import type { BenchResult } from './report.ts';

/** L2 blocks of a channel; what is timed at once is a channel, so that its decoding is in every sample. */
const CHANNEL = 50;
const WARM_UP = 1;
const PEER = 'direct';

const formats = {
  spanBrotliBlobs: { kind: 'span', compression: 'brotli', as: 'blobs', maxFrameSize: 130_000 },
  singularZlibCalldata: { kind: 'singular', compression: 'zlib', as: 'calldata', maxFrameSize: 100_000 },
} as const satisfies Record<string, BatcherOptions>;

/** The L1 that the chain was built on, with all of it batched in the blocks after. */
const batched = ({ config, blocks }: BuiltChain, options: BatcherOptions): ScriptedL1 => {
  const l1 = makeL1();
  const batcher = new TestBatcher(l1, config);
  for (let at = 1; at <= BLOCKS; at += CHANNEL) batcher.submit(blocks.slice(at, at + CHANNEL), options);
  return l1;
};

/** Milliseconds a block of each follower, channel by channel, which they go through in turns; warm-up left out. */
const measure = async (
  { blocks }: BuiltChain,
  followers: Readonly<Record<string, Follower>>,
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const times = new Map<string, number[]>(Object.keys(followers).map((name) => [name, []]));
  for (let end = CHANNEL; end <= BLOCKS; end += CHANNEL) {
    const last = blocks[end];
    if (!last) throw new Error('the chain ends early');
    const inTurns = (end / CHANNEL) % 2 === 0 ? Object.entries(followers) : Object.entries(followers).toReversed();
    for (const [name, follower] of inTurns) {
      const started = performance.now();
      await follower.to(last);
      times.get(name)?.push((performance.now() - started) / CHANNEL);
    }
  }
  return new Map([...times].map(([name, all]) => [name, all.slice(WARM_UP)]));
};

/** Fills in the followers, for the caller to close, and measures them. */
const measureAll = async (chain: BuiltChain, followers: Record<string, Follower>) => {
  followers[PEER] = await direct(chain);
  for (const [name, options] of Object.entries(formats)) {
    followers[`${name}.derivationOnly`] = await attributesOnly(chain, batched(chain, options));
    followers[`${name}.withExecution`] = await verifier(chain, batched(chain, options));
  }
  return measure(chain, followers);
};

const ratesOf = (times: readonly number[]) => ({
  msPerBlock: median(times),
  blocksPerSecond: 1_000 / median(times),
  txPerSecond: (1_000 * TRANSACTIONS) / median(times),
});

/**
 * What a verifier that has nothing but L1 data derives in a second. There is no other OP derivation on npm, so the peer is our
 * own engine given the same blocks whole: the ratio is what derivation adds to execution, not how we stand to others.
 */
export const derive = async (): Promise<BenchResult> => {
  const chain = await buildChain();
  const followers: Record<string, Follower> = {};
  const times = await measureAll(chain, followers).finally(async () => {
    for (const follower of Object.values(followers)) await follower.close();
  });
  const peer = times.get(PEER) ?? [];
  const ours = [...times].filter(([name]) => name !== PEER);
  return {
    name: 'derive',
    ours: Object.fromEntries(
      ours.flatMap(([name, all]) =>
        Object.entries(ratesOf(all)).map(([figure, value]) => [`${name}.${figure}`, value]),
      ),
    ),
    peers: { [PEER]: ratesOf(peer) },
    ratios: Object.fromEntries(
      ours.map(([name, all]) => [`${name}ToDirect`, median(all.map((ms, index) => ms / (peer[index] ?? Number.NaN)))]),
    ),
    goals: [],
  };
};
