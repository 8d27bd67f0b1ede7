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

/** Milliseconds a block of each follower: medians over channels, which they go through in turns. */
const measure = async (
  { blocks }: BuiltChain,
  followers: Readonly<Record<string, Follower>>,
): Promise<Record<string, number>> => {
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
  return Object.fromEntries([...times].map(([name, all]) => [name, median(all.slice(WARM_UP))]));
};

/**
 * What a verifier that has nothing but L1 data derives in a second. There is no other OP derivation on npm, so the peer is our
 * own engine given the same blocks whole: the ratio is what derivation adds to execution, not how we stand to others.
 */
export const derive = async (): Promise<BenchResult> => {
  const chain = await buildChain();
  const followers: Record<string, Follower> = { direct: await direct(chain) };
  for (const [name, options] of Object.entries(formats)) {
    followers[`${name}.derivationOnly`] = await attributesOnly(chain, batched(chain, options));
    followers[`${name}.withExecution`] = await verifier(chain, batched(chain, options));
  }
  const { direct: directMs = 0, ...ours } = await measure(chain, followers);
  for (const follower of Object.values(followers)) await follower.close();
  const rates = (name: string, ms: number) => ({
    [`${name}.msPerBlock`]: ms,
    [`${name}.blocksPerSecond`]: 1_000 / ms,
    [`${name}.txPerSecond`]: (1_000 * TRANSACTIONS) / ms,
  });
  return {
    name: 'derive',
    ours: Object.assign({}, ...Object.entries(ours).map(([name, ms]) => rates(name, ms))),
    peers: { direct: rates('execution', directMs) },
    ratios: Object.fromEntries(Object.entries(ours).map(([name, ms]) => [`${name}ToDirect`, ms / directMs])),
    goals: [],
  };
};
