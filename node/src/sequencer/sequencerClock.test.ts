import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { ana } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';
import type { Block } from '../primitives/block.ts';

const GENESIS_MS = 1_700_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: GENESIS_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything happen that needs no time: until the sequencer waits for its clock, and still does some turns later. */
const settle = async () => {
  for (let quiet = 0, turn = 0; quiet < 30 && turn < 20_000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = vi.getTimerCount() > 0 ? quiet + 1 : 0;
  }
};

/** A sequencer that runs by a clock which the test moves. */
const start = async () => {
  const chain = await TestChain.start();
  const told: string[] = [];
  const blocks: Block[] = [];
  const at = () => Date.now() - GENESIS_MS;
  chain.pending.onFlashblock((flashblock) => {
    told.push(`${at()}: flashblock ${flashblock.block.header.number}.${flashblock.index}`);
  });
  chain.engine.onBlock((block) => {
    blocks.push(block);
    told.push(`${at()}: block ${block.header.number}`);
  });
  const abort = new AbortController();
  const running = chain.sequencer.run(abort.signal);
  await settle();
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      await vi.advanceTimersByTimeAsync(Math.min(50, left));
      await settle();
    }
  };
  const stop = async () => {
    abort.abort();
    await running;
  };
  return { chain, told, blocks, pass, stop };
};

describe('the sequencer’s clock', () => {
  it('opens a block at once, adds every 200 ms, and seals when the block is due', async () => {
    const { chain, told, blocks, pass, stop } = await start();
    expect(told).toEqual(['0: flashblock 1.0']);
    const hashes = [];
    for (let nonce = 0; nonce < 3; nonce++) {
      await pass(100);
      hashes.push(await chain.send(ana, { nonce }));
      await pass(100);
    }
    await pass(400);
    expect(told).toEqual([
      '0: flashblock 1.0',
      '200: flashblock 1.1',
      '400: flashblock 1.2',
      '600: flashblock 1.3',
      '1000: block 1',
      '1000: flashblock 2.0',
    ]);
    expect(blocks.map(signedHashes)).toEqual([hashes]);
    expect(blocks[0]?.header.timestamp).toBe(BigInt(GENESIS_MS / 1000 + 1));
    await stop();
    expect(chain.pending.block).toBeUndefined();
  });

  it('takes what comes in the last interval into the block that is due', async () => {
    const { chain, told, blocks, pass, stop } = await start();
    await pass(950);
    const hash = await chain.send(ana, { nonce: 0 });
    await pass(50);
    expect(told.slice(1)).toEqual(['1000: flashblock 1.1', '1000: block 1', '1000: flashblock 2.0']);
    expect(blocks.map(signedHashes)).toEqual([[hash]]);
    await stop();
  });

  it('makes up for the time that it was away, a whole block at a time', async () => {
    const { chain, blocks, pass, stop } = await start();
    await pass(1_000);
    await stop();
    vi.setSystemTime(GENESIS_MS + 5_000);
    const abort = new AbortController();
    const running = chain.sequencer.run(abort.signal);
    for (let i = 0; i < 10; i++) await settle();
    expect(blocks.map(({ header }) => Number(header.timestamp) * 1000 - GENESIS_MS)).toEqual([
      1_000, 2_000, 3_000, 4_000, 5_000,
    ]);
    abort.abort();
    await running;
  });

  it('tries again when L1 does not answer, without losing what was promised to be included', async () => {
    const { chain, blocks, pass, stop } = await start();
    const hash = await chain.send(ana, { nonce: 0 });
    await pass(990);
    chain.l1.failure = nodeError('L1_UNAVAILABLE', 'no answer');
    await pass(2_000);
    // The open block was sealed; the next could not be begun.
    expect(blocks.map(signedHashes)).toEqual([[hash]]);
    chain.l1.failure = undefined;
    await pass(1_000);
    expect(blocks.length).toBeGreaterThan(1);
    await stop();
  });
});

describe('a node that ends while a block is open', () => {
  it('includes what it preconfirmed after its restart', async () => {
    const { chain, pass } = await start();
    const hash = await chain.send(ana, { nonce: 0 });
    await pass(200);
    expect(chain.pending.transaction(hash)).toBeDefined();
    // As after a kill: nothing but the database is left.
    vi.useRealTimers();
    const again = await TestChain.start({ db: chain.db, genesis: chain.genesis, l1: chain.l1 });
    expect(signedHashes(await again.step())).toEqual([hash]);
  });
});
