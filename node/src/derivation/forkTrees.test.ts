import { allForksAtGenesis, type RollupConfig } from '@openledger/chain-config';
import { createMetrics, silentLogger } from '@openledger/kit';
import fc from 'fast-check';
import type { Hex } from 'viem';
import { beforeAll, describe, expect, it } from 'vitest';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { ModelEngine } from '../../test/support/modelEngine.ts';
import { ScriptedL1 } from '../../test/support/scriptedL1.ts';
import { TestBatcher, toChannelBlock } from '../../test/support/testBatcher.ts';
import { genesisInputs, systemConfig } from '../../test/support/testGenesis.ts';
import { bo, signed, wallet } from '../../test/support/wallets.ts';
import { preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import type { ChannelBlock } from '../channels/channelOut.ts';
import type { Frame } from '../channels/frame.ts';
import type { Block } from '../primitives/block.ts';
import { DerivationDriver } from './driver.ts';

/** Chains per property; each is a random L1 with its forks, batches and restarts. */
const RUNS = Number(process.env.DERIVATION_RUNS ?? 1000);
const { DERIVATION_SEED, DERIVATION_PATH } = process.env;
/** As a failure states them, to have it again. */
const SEED = {
  ...(DERIVATION_SEED ? { seed: Number(DERIVATION_SEED) } : {}),
  ...(DERIVATION_PATH ? { path: DERIVATION_PATH } : {}),
};

const metrics = () => createMetrics('model');
let transactions: Hex[];
let invalid: Hex;

beforeAll(async () => {
  const someone = wallet('someone');
  [invalid = '0x', ...transactions] = await Promise.all(
    [9, 0, 1, 2].map((nonce) => signed(someone, { nonce, to: bo.address })),
  );
});

type Action =
  | { kind: 'mine'; count: number; deposit: boolean }
  | { kind: 'sequence'; picks: readonly number[]; advance: boolean }
  | {
      kind: 'batch';
      from: number;
      count: number;
      type: 'singular' | 'span';
      spoil: number;
      cut: number;
      order: readonly number[];
      send: boolean;
    }
  | { kind: 'resend'; pick: number }
  | { kind: 'reorg'; depth: number }
  | { kind: 'derive'; steps: number }
  | { kind: 'restart' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('mine' as const),
      count: fc.integer({ min: 1, max: 3 }),
      deposit: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('sequence' as const),
      picks: fc.array(fc.nat(2), { maxLength: 2 }),
      advance: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      from: fc.integer({ min: -2, max: 1 }),
      count: fc.integer({ min: 1, max: 5 }),
      type: fc.constantFrom('singular' as const, 'span' as const),
      /** Index of the block that gets an invalid transaction; above 4 none does. */
      spoil: fc.nat(15),
      cut: fc.integer({ min: 1, max: 3 }),
      order: fc.oneof(
        { weight: 3, arbitrary: fc.constant([0, 1, 2]) },
        { weight: 1, arbitrary: fc.array(fc.nat(2), { maxLength: 4 }) },
      ),
      send: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resend' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reorg' as const), depth: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('derive' as const), steps: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

/** One node whose sequencer, batcher and verifier do what the test says, on an L1 that does too. */
class World {
  readonly l1 = new ScriptedL1();
  readonly live: ModelEngine;
  readonly #config: ConstructorParameters<typeof ModelEngine>[0];
  readonly #batcher: TestBatcher;
  readonly #db = openMemoryDb();
  readonly #sent: Frame[][] = [];
  #driver: DerivationDriver;

  constructor(config: Pick<RollupConfig, 'forks' | 'channelTimeout' | 'sequencerWindowSize' | 'maxSequencerDrift'>) {
    this.l1.blockTime = 2n;
    this.#config = {
      ...config,
      l1ChainId: 900,
      l2ChainId: 16120,
      blockTime: 1n,
      eip1559: { elasticity: 6, denominator: 50, denominatorCanyon: 250 },
      batchInboxAddress: `0xff${'00'.repeat(19)}`,
      depositContractAddress: this.l1.portal,
      l1SystemConfigAddress: `0x${'15'.repeat(20)}`,
      genesis: { l1: { hash: this.l1.genesis.hash, number: 0n }, l2Time: genesisInputs.timestamp, systemConfig },
    };
    this.live = new ModelEngine(this.#config, [invalid]);
    this.#batcher = new TestBatcher(this.l1, this.live.config);
    this.#driver = this.#start();
  }

  async act(next: Action): Promise<void> {
    switch (next.kind) {
      case 'mine':
        for (let i = 0; i < next.count; i++) this.l1.mine(next.deposit ? [{ from: bo.address, to: bo.address }] : []);
        return;
      case 'sequence':
        return this.#sequence(next.picks, next.advance);
      case 'batch':
        return this.#batch(next);
      case 'resend': {
        const frames = this.#sent[next.pick % (this.#sent.length || 1)];
        if (frames) this.#batcher.mine([frames]);
        return;
      }
      case 'reorg': {
        const { number } = this.l1.latest;
        const target = number - BigInt(next.depth);
        if (target < 0n) return;
        this.l1.reorgTo(target);
        this.l1.mine();
        return;
      }
      case 'derive':
        for (let i = 0; i < next.steps; i++) if ((await this.#driver.step()) === 'idle') return;
        return;
      case 'restart':
        this.#driver = this.#start();
    }
  }

  /** The safe chain when L1 has nothing more to say. */
  async safeChain(): Promise<Hex[]> {
    return rest(this.live, this.#driver);
  }

  /** The same of a node that starts now. */
  async freshSafeChain(): Promise<Hex[]> {
    const engine = new ModelEngine(this.#config, [invalid]);
    const options = {
      engine,
      l1: this.l1,
      config: engine.config,
      db: openMemoryDb(),
      log: silentLogger,
      metrics: metrics(),
    };
    return rest(engine, new DerivationDriver(options));
  }

  #start(): DerivationDriver {
    const { live: engine, l1 } = this;
    return new DerivationDriver({
      engine,
      l1,
      config: engine.config,
      db: this.#db,
      log: silentLogger,
      metrics: metrics(),
    });
  }

  async #sequence(picks: readonly number[], advance: boolean): Promise<void> {
    const { live, l1 } = this;
    let parent = await live.chain.blockByHash(live.heads.unsafe.hash);
    while (parent && parent.header.number > live.heads.safe.number && !(await l1.blockByHash(parent.l1Origin.hash))) {
      parent = await live.chain.blockByHash(parent.header.parentHash);
    }
    const current = parent && (await l1.blockByHash(parent.l1Origin.hash));
    if (!parent || !current) return;
    const child = await l1.blockByNumber(current.number + 1n);
    const timestamp = parent.header.timestamp + 1n;
    const origin = advance && child && timestamp >= child.timestamp ? child : current;
    const { block, deposits } = await preparePayloadAttributes({
      config: live.config,
      parent,
      origin,
      l1,
    });
    const execution = await live.begin(parent.hash, block);
    for (const deposit of deposits) await execution.apply(deposit);
    for (const pick of picks) await execution.apply(live.rules.decodeTransaction(transactions[pick] as Hex));
    await live.insert(await execution.seal());
  }

  async #batch({ from, count, type, spoil, cut, order, send }: Extract<Action, { kind: 'batch' }>): Promise<void> {
    const blocks: ChannelBlock[] = [];
    const first = Number(this.live.heads.safe.number) + 1 + from;
    for (let number = Math.max(first, 1); number < first + count; number++) {
      const block = await this.live.chain.blockByNumber(BigInt(number));
      if (!block) break;
      const said = toChannelBlock(block as Block);
      blocks.push(number - first === spoil ? { ...said, transactions: [invalid] } : said);
    }
    if (blocks.length === 0) return;
    const [whole] = this.#batcher.frames(blocks, { kind: type });
    if (!whole) return;
    const size = Math.ceil(whole.data.length / cut);
    const frames = Array.from({ length: cut }, (_, frameNumber) => ({
      ...whole,
      frameNumber,
      data: whole.data.slice(frameNumber * size, (frameNumber + 1) * size),
      isLast: frameNumber === cut - 1,
    }));
    const picked = order.flatMap((index) => frames[index] ?? []);
    if (picked.length === 0) return;
    this.#sent.push(picked);
    if (send) this.#batcher.mine([picked]);
    else for (const frame of picked) this.#batcher.mine([[frame]]);
  }
}

const rest = async (engine: ModelEngine, driver: DerivationDriver): Promise<Hex[]> => {
  for (let i = 0; i < 20_000; i++) {
    if ((await driver.step()) !== 'idle') continue;
    const hashes: Hex[] = [];
    for (let number = 0n; number <= engine.heads.safe.number; number++) {
      hashes.push((await engine.chain.blockByNumber(number))?.hash ?? '0x');
    }
    return hashes;
  }
  throw new Error('derivation does not come to rest');
};

const { granite: _granite, holocene: _holocene, ...early } = allForksAtGenesis;
const property = (forks: RollupConfig['forks'], sequencerWindowSize: bigint) =>
  fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60, size: 'max' }), async (actions) => {
    const world = new World({ forks, channelTimeout: 4n, sequencerWindowSize, maxSequencerDrift: 600n });
    for (const next of actions) await world.act(next);
    expect(await world.safeChain()).toEqual(await world.freshSafeChain());
  });

describe('whatever L1 does, a node that lived through it and one that starts after it have the same safe chain', () => {
  it.each([
    ['since Holocene, short windows', { ...early, holocene: 0n }, 6n, RUNS * 0.4],
    ['since Holocene, long windows', { ...early, holocene: 0n }, 100n, RUNS * 0.3],
    ['before Holocene, short windows', early, 6n, RUNS * 0.15],
    ['across Holocene', { ...early, holocene: genesisInputs.timestamp + 20n }, 20n, RUNS * 0.15],
  ])(
    '%s',
    async (_name, forks, window, numRuns) => {
      await fc.assert(property(forks, window), { numRuns: Math.ceil(numRuns), ...SEED });
    },
    600_000,
  );
});
