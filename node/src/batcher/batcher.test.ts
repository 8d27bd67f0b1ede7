import { inspect } from 'node:util';
import { devnet, type RollupConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import { keccak256, toBytes } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeL1Pool } from '../../test/support/fakeL1Pool.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { batcherConfig, ScriptedL2 } from '../../test/support/scriptedL2.ts';
import { wallet } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';
import { Batcher, type BatcherParts, type BatcherStep } from './batcher.ts';
import type { BatcherOptions } from './batcherOptions.ts';

const signer = wallet('batcher');
const config = batcherConfig(signer.address);

describe('the batcher', () => {
  let l1: FakeL1Pool;
  let l2: ScriptedL2;
  let db: LevelDb;
  let metrics: ReturnType<typeof createMetrics>;
  const steps: BatcherStep[] = [];

  beforeEach(() => {
    l1 = new FakeL1Pool();
    l2 = new ScriptedL2(config);
    db = openMemoryDb();
    steps.length = 0;
  });

  const open = (
    options: Partial<BatcherOptions> = {},
    rules: RollupConfig = config,
    parts: Partial<BatcherParts> = {},
  ) => {
    metrics = createMetrics('b');
    return Batcher.open({
      source: l2,
      l1,
      signer,
      config: rules,
      db,
      log: silentLogger,
      metrics,
      options: { dataAvailability: 'calldata', maxChannelDuration: 2n, ...options },
      transactions: { confirmations: 2, resubmitAfter: 2, maxPending: 4 },
      ...parts,
    });
  };
  /** An L1 block, derivation, and a turn of the batcher. */
  const turn = async (batcher: Batcher, count = 1): Promise<BatcherStep> => {
    let step: BatcherStep | undefined;
    for (let i = 0; i < count; i++) {
      l1.mine();
      l2.derive(l1.included);
      l2.l1Read = l1.latest.number;
      step = await batcher.step();
      steps.push(step);
    }
    return step as BatcherStep;
  };
  /** Turns until everything is safe and forgotten. */
  const settle = async (batcher: Batcher): Promise<void> => {
    const { number } = (await l2.heads()).unsafe;
    for (let i = 0; i < 60 && (l2.safe.number < number || (await db.keys().all()).length > 0); i++) await turn(batcher);
    expect(l2.safe.number).toBe(number);
    expect(await db.keys().all()).toEqual([]);
    expect(l1.included.map(({ nonce }) => nonce)).toEqual(l1.included.map((_, index) => BigInt(index)));
  };
  const journal = async () => (await db.keys().all()).length;
  const closed = () => steps.flatMap((step) => step.closed);
  const resets = () => steps.flatMap(({ reset }) => reset ?? []);
  const metric = async (name: string) =>
    (await metrics.registry.getMetricsAsJSON()).find((m) => m.name === `b_${name}`)?.values ?? [];

  it.each([
    ['span batches, brotli, calldata', {}],
    ['span batches, zlib, blobs', { compression: 'zlib', dataAvailability: 'blobs' }],
    ['singular batches, brotli, blobs', { batchKind: 'singular', dataAvailability: 'blobs' }],
    ['singular batches, zlib, calldata', { batchKind: 'singular', compression: 'zlib' }],
  ] as [string, Partial<BatcherOptions>][])('makes every block safe, in order: %s', async (_what, options) => {
    const batcher = await open(options);
    for (let i = 0; i < 5; i++) {
      await l2.grow(3, { transactions: 2 });
      await turn(batcher);
    }
    await settle(batcher);
    expect(resets()).toEqual([]);
    expect(new Set(l1.included.map(({ blobs }) => blobs.length > 0))).toEqual(
      new Set([options.dataAvailability === 'blobs']),
    );
  });

  it('reports compression and what an L2 transaction costs on L1', async () => {
    const batcher = await open();
    expect(batcher.report).toEqual({
      channels: 0,
      l2Blocks: 0n,
      l2Transactions: 0,
      inputBytes: 0,
      compressedBytes: 0,
      l1Cost: 0n,
    });
    await l2.grow(10, { transactions: 3 });
    await turn(batcher, 3);
    await settle(batcher);
    const { channels, l2Blocks, l2Transactions, l1Cost, l1CostPerTransaction, compressionRatio } = batcher.report;
    expect([channels, l2Blocks, l2Transactions, l1Cost, l1CostPerTransaction]).toEqual([1, 10n, 30, 21_000n, 700n]);
    expect(compressionRatio).toBeGreaterThan(0.5);
    expect(compressionRatio).toBeLessThan(1.1);
    expect((await metric('l1_cost_per_transaction_wei'))[0]?.value).toBe(700);
  });

  describe('closes a channel', () => {
    it('that is full, also over several frames and transactions', async () => {
      const batcher = await open({ maxL1TxSize: 2_000, targetFrames: { calldata: 3, blobs: 1 } });
      await l2.grow(20, { bytes: 900 });
      await turn(batcher, 2);
      expect(closed().slice(0, 2)).toEqual(['target_size', 'target_size']);
      expect((await metric('channel_num_frames'))[0]?.value).toBe(3);
      expect((await metric('channel_closed_reason'))[0]).toMatchObject({ labels: { reason: 'target_size' } });
      await settle(batcher);
      expect(Math.max(...l1.included.map(({ data }) => data.length / 2 - 1))).toBeLessThanOrEqual(2_000);
    });
    it('into several blobs of one transaction', async () => {
      const batcher = await open({ dataAvailability: 'blobs', targetFrames: { calldata: 1, blobs: 3 }, blobsPerTx: 2 });
      await l2.grow(4, { bytes: 100_000 });
      await turn(batcher, 4);
      await settle(batcher);
      expect(l1.included.map(({ blobs }) => blobs.length)).toEqual([2, 1, 1]);
    });
    it('after so many L1 blocks', async () => {
      const batcher = await open({ maxChannelDuration: 3n });
      await l2.grow(1);
      await turn(batcher, 3);
      expect(closed()).toEqual([]);
      await turn(batcher);
      expect(closed()).toEqual(['max_duration']);
      expect((await metric('pending_blocks_count'))[0]?.value).toBe(0);
    });
    it('before the sequencing window ends', async () => {
      const rules = { ...config, sequencerWindowSize: 20n };
      const batcher = await open({ maxChannelDuration: 100n, safetyMargin: 5n }, rules);
      await l2.grow(1);
      await turn(batcher, 14);
      expect(closed()).toEqual([]);
      await turn(batcher);
      expect(closed()).toEqual(['sequencing_window']);
    });
    it('when it is told to', async () => {
      const batcher = await open({ maxChannelDuration: 100n });
      await l2.grow(1);
      batcher.flush();
      await turn(batcher);
      expect(closed()).toEqual(['flush']);
      await settle(batcher);
    });
  });

  it('uses what is cheaper at the moment', async () => {
    const batcher = await open({ dataAvailability: 'auto', maxChannelDuration: 1n });
    await l2.grow(2, { bytes: 2_000 });
    await turn(batcher, 3);
    expect(l1.included.at(-1)?.blobs).toHaveLength(1);
    l1.current = { ...l1.current, blobBaseFee: 10n ** 12n };
    await l2.grow(2, { bytes: 2_000 });
    await turn(batcher, 3);
    expect(l1.included.at(-1)?.blobs).toHaveLength(0);
    await settle(batcher);
  });

  it('goes on where it was, whenever it is killed', async () => {
    let crashes = 0;
    for (let crashAt = 1, crashed = true; crashed; crashAt++) {
      crashed = false;
      l1 = new FakeL1Pool();
      l2 = new ScriptedL2(config);
      db = openMemoryDb();
      let calls = 0;
      const tick = () => {
        if (++calls !== crashAt) return;
        crashed = true;
        crashes++;
        throw new Error('killed');
      };
      l1.before = (call) => (['sendRaw', 'sent', 'inclusion'].includes(call) ? tick() : undefined);
      const batch = db.batch.bind(db);
      Object.assign(db, {
        batch: () => {
          tick();
          const made = batch();
          // Killed when the disk has it and nobody was told.
          const write = made.write.bind(made);
          return Object.assign(made, { write: (options: never) => write(options).then(tick) });
        },
      });
      const options = { maxL1TxSize: 1_000, targetFrames: { calldata: 2, blobs: 1 } };
      const run = async () => {
        const batcher = await open(options);
        for (let i = 0; i < 3; i++) {
          if (l2.blocks.length < 12) await l2.grow(4, { bytes: 300 });
          await turn(batcher);
        }
        await settle(batcher);
      };
      await run().catch((error) => {
        if (!crashed) throw error;
      });
      if (crashed) await run();
      // Nothing was sent twice.
      expect(new Set(l1.included.map(({ data }) => data)).size).toBe(l1.included.length);
      expect(resets()).toEqual([]);
    }
    expect(crashes).toBeGreaterThan(30);
  });

  it('pays more when L1 gets dearer, and sends again what L1 dropped', async () => {
    const batcher = await open();
    await l2.grow(3);
    await turn(batcher, 3);
    l1.current = { ...l1.current, baseFee: 10n ** 11n };
    await turn(batcher);
    l1.pool.clear();
    await turn(batcher, 4);
    expect((await metric('tx_gas_bump'))[0]?.value).toBeGreaterThan(0);
    await settle(batcher);
    expect(resets()).toEqual([]);
  });

  it('sends again what an L1 reorg took back', async () => {
    const batcher = await open();
    await l2.grow(3);
    await turn(batcher, 4);
    expect(l2.safe.number).toBe(3n);
    l1.reorg(2);
    l2.derive(l1.included);
    expect(l2.safe.number).toBe(0n);
    await settle(batcher);
    expect(l1.included).toHaveLength(1);
    expect(resets()).toEqual([]);
  });

  it('waits for money, says so, and goes on when it comes', async () => {
    const batcher = await open();
    l1.funds = 0n;
    await l2.grow(3);
    const { waiting } = await turn(batcher, 4);
    expect(waiting).toMatchObject({ code: 'L1_INSUFFICIENT_FUNDS', handling: 'retry' });
    expect(await metric('waiting')).toMatchObject([{ labels: { reason: 'L1_INSUFFICIENT_FUNDS' }, value: 1 }]);
    expect((await metric('balance'))[0]?.value).toBe(0);
    l1.funds = 10n ** 20n;
    expect((await turn(batcher)).waiting).toBeUndefined();
    await settle(batcher);
    expect(resets()).toEqual([]);
  });

  it('builds anew from the safe head when a stranger used its nonce', async () => {
    const batcher = await open({ maxL1TxSize: 500, targetFrames: { calldata: 4, blobs: 1 } });
    await l2.grow(4, { bytes: 400 });
    await turn(batcher, 3);
    l1.pool.clear();
    l1.stranger();
    await turn(batcher, 5);
    expect(resets()).toEqual(['transaction_lost']);
    await settle(batcher);
  });

  it('builds anew when its frames landed too far apart', async () => {
    const { granite: _, ...forks } = devnet.forks;
    const rules = { ...config, forks, channelTimeout: 3n };
    const batcher = await open({ maxL1TxSize: 500, targetFrames: { calldata: 4, blobs: 1 } }, rules, {
      transactions: { confirmations: 1, maxPending: 1, resubmitAfter: 100 },
    });
    await l2.grow(4, { bytes: 400 });
    await turn(batcher, 3);
    l1.current = { ...l1.current, baseFee: 10n ** 12n };
    await turn(batcher, 5);
    expect(resets()).toEqual(['channel_timed_out']);
    l1.current = { ...l1.current, baseFee: 10n ** 9n };
    await settle(batcher);
  });

  it.each([
    ['says that it has read them', true],
    ['does not say how far it is', false],
  ])('builds anew when the safe head stays behind confirmed data and derivation %s', async (_what, says) => {
    const batcher = await open({ safeHeadPatience: 6n });
    await l2.grow(3);
    let ignored = 0;
    for (let i = 0; i < 20 && resets().length === 0; i++) {
      l1.mine();
      ignored = l1.included.length;
      l2.l1Read = says ? l1.latest.number : undefined;
      steps.push(await batcher.step());
    }
    expect(resets()).toEqual(['safe_head_stalled']);
    for (let i = 0; i < 20 && l2.safe.number < 3n; i++) {
      l1.mine();
      l2.derive(l1.included.slice(ignored));
      await batcher.step();
    }
    expect(l2.safe.number).toBe(3n);
  });

  it('builds anew when the L2 chain was reorganised, before and after a restart', async () => {
    for (const restarts of [false, true]) {
      let batcher = await open();
      const { number } = l2.safe;
      await l2.grow(4);
      l1.current = { ...l1.current, baseFee: 10n ** 13n };
      await turn(batcher, 3);
      expect(await journal()).toBeGreaterThan(0);
      l2.reorgTo(number + 2n);
      await l2.grow(3);
      if (restarts) batcher = await open();
      l1.current = { ...l1.current, baseFee: 10n ** 9n };
      await turn(batcher);
      expect(resets().at(-1)).toBe('l2_reorg');
      await settle(batcher);
    }
  });

  it('builds anew what a deep L1 reorg took back, but lets derivation start again in peace', async () => {
    const batcher = await open();
    await l2.grow(3);
    await settle(batcher);
    const { safe } = l2;
    l2.safe = config.genesis.l2;
    l2.l1Read = 0n;
    expect((await batcher.step()).reset).toBeUndefined();
    l2.safe = safe;
    await turn(batcher);
    l1.reorg(l1.blocks.length - 1);
    await turn(batcher, 2);
    expect(resets()).toEqual(['safe_head_went_back']);
    await settle(batcher);
  });

  it('follows a safe head that somebody else moved', async () => {
    const batcher = await open({ maxChannelDuration: 100n });
    await l2.grow(5);
    await batcher.step();
    await l2.grow(1);
    const block = await l2.blockByNumber(6n);
    l2.safe = { number: 6n, hash: block?.hash ?? '0x' };
    const step = await batcher.step();
    expect(step).toMatchObject({ batched: { number: 6n } });
    expect(step.reset).toBeUndefined();
  });

  it('keeps to a channel’s transactions when its options change over a restart', async () => {
    let batcher = await open({ dataAvailability: 'blobs', blobsPerTx: 1, targetFrames: { calldata: 1, blobs: 3 } });
    await l2.grow(3, { bytes: 120_000 });
    l1.current = { ...l1.current, baseFee: 10n ** 13n };
    await turn(batcher, 3);
    batcher = await open({ dataAvailability: 'calldata', blobsPerTx: 3 });
    l1.current = { ...l1.current, baseFee: 10n ** 9n };
    await settle(batcher);
    expect(l1.included.map(({ blobs }) => blobs.length)).toEqual([1, 1, 1]);
    expect(resets()).toEqual([]);
  });

  it('tells nobody its key', async () => {
    const lines: string[] = [];
    const print = (...line: unknown[]) => void lines.push(inspect(line, { depth: 9 }));
    const log = { trace: print, debug: print, info: print, warn: print, error: print, fatal: print, child: () => log };
    const batcher = await open({}, config, { log: log as unknown as BatcherParts['log'] });
    await l2.grow(3);
    l1.funds = 0n;
    const { waiting } = await turn(batcher, 4);
    l1.funds = 10n ** 20n;
    await settle(batcher);
    expect(lines.length).toBeGreaterThan(4);
    const key = keccak256(toBytes('batcher')).slice(2);
    expect(`${lines} ${inspect([waiting, batcher], { depth: 9 })} ${await metrics.registry.metrics()}`).not.toContain(
      key,
    );
  });

  it('throws what L1 throws, and the next step goes on', async () => {
    const batcher = await open();
    await l2.grow(3);
    l1.before = () => {
      throw nodeError('L1_UNAVAILABLE', 'no answer');
    };
    await expect(batcher.step()).rejects.toMatchObject({ code: 'L1_UNAVAILABLE' });
    l1.before = () => {};
    await turn(batcher, 3);
    await settle(batcher);
  });

  it('runs until it is stopped', async () => {
    const batcher = await open({ pollIntervalMs: 1, maxChannelDuration: 0n });
    await l2.grow(2);
    const abort = new AbortController();
    const running = batcher.run(abort.signal);
    while (l1.pool.size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort();
    await running;
    await expect((await open({}, { ...config, l1ChainId: 1 })).run(new AbortController().signal)).rejects.toMatchObject(
      {
        code: 'L1_WRONG_CHAIN',
      },
    );
  });
});
