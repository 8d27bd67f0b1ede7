import { type BlockId, isForkActive, type RollupConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { describeError, handlingOf, isOpenLedgerError, type Logger, type Metrics, sleep } from '@openledger/kit';
import type { Hex } from 'viem';
import type { Heads } from '../chain/chainStore.ts';
import { nodeError } from '../errors.ts';
import type { SealedBlock } from '../execution/blockExecution.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import { type Block, blockIdOf } from '../primitives/block.ts';
import type { DerivedAttributes } from './attributesQueue.ts';
import { type ExecutionEngine, executeAttributes, matchesAttributes } from './executeAttributes.ts';
import { findStart } from './findStart.ts';
import { DerivationPipeline } from './pipeline.ts';
import { type SafeHead, SafeHeads } from './safeHeads.ts';

/** What derivation needs of the engine; `Engine` is one. */
export type DerivationEngine = ExecutionEngine & {
  readonly heads: Heads;
  readonly chain: {
    blockByHash(hash: Hex): Promise<Block | undefined>;
    blockByNumber(number: bigint): Promise<Block | undefined>;
    isCanonical(block: BlockId): Promise<boolean>;
  };
  insert(sealed: SealedBlock, options?: { readonly safe?: boolean }): Promise<Block>;
  setHeads(update: { safe?: BlockId; finalized?: BlockId }): Promise<void>;
  setUnsafeHead(hash: Hex): Promise<void>;
};

export type DerivationOptions = {
  engine: DerivationEngine;
  l1: L1Source;
  config: RollupConfig;
  /** Holds the record of safe heads. */
  db: LevelDb;
  log: Logger;
  metrics: Metrics;
  /** Wait between looks at an L1 that has nothing new, milliseconds. */
  pollMs?: number;
};

const POLL_MS = 500;
/** After so many failures in a row that nobody planned for, derivation starts again from a point that stands. */
const MAX_SURPRISES = 10;

/**
 * Makes the chain that L1 says: derives attributes, keeps blocks that match them and builds those that don't exist, moves safe
 * and finalized, and starts again when L1 reorganises. `step` is one piece of that, for tests that drive time by hand.
 */
export class DerivationDriver {
  readonly #options: DerivationOptions;
  readonly #pipeline: DerivationPipeline;
  readonly #safeHeads: SafeHeads;
  readonly #originGauge;
  readonly #blocks;
  readonly #resets;
  /** The last block derived: the next one's parent. Absent until the starting point is found. */
  #cursor: Block | undefined;
  /** The last block whose span is derived to its end. While going over known ground it is behind the safe head. */
  #concluded: Block | undefined;
  /** Derived and not yet executed, kept when that fails for a while. */
  #attributes: DerivedAttributes | undefined;
  /** The unsafe head that a span batch, whose end isn't derived yet, has taken back. */
  #backupUnsafe: Hex | undefined;

  constructor(options: DerivationOptions) {
    const { config, l1, engine, metrics } = options;
    this.#options = options;
    this.#pipeline = new DerivationPipeline({ config, l1, safeChain: engine.chain });
    this.#safeHeads = new SafeHeads(options.db);
    this.#originGauge = metrics.gauge('derivation_l1_origin', 'Number of the L1 block that is being derived from');
    this.#blocks = metrics.counter('derived_blocks_total', 'Blocks derived, by what was done about them', ['kind']);
    this.#resets = metrics.counter('derivation_resets_total', 'Times that derivation started again');
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, pollMs = POLL_MS } = this.#options;
    let surprises = 0;
    while (!signal.aborted) {
      const wasReady = this.#cursor !== undefined;
      try {
        const result = await this.step();
        surprises = 0;
        const isResetAgain = !wasReady && !this.#cursor;
        if (result === 'idle' || isResetAgain) await sleep(pollMs, signal);
      } catch (error) {
        if (handlingOf(error) === 'fatal') throw error;
        log.warn({ err: error, reason: describeError(error) }, 'derivation waits and tries again');
        if (!isOpenLedgerError(error) && ++surprises % MAX_SURPRISES === 0) this.#forget();
        await sleep(pollMs, signal);
      }
    }
  }

  /** Idle means that L1 has nothing more to say. @throws errors to retry, and fatal ones */
  async step(): Promise<'progressed' | 'idle'> {
    try {
      if (!this.#cursor) await this.#start();
      return this.#cursor ? await this.#derive(this.#cursor) : 'progressed';
    } catch (error) {
      const handling = handlingOf(error);
      if (handling === 'retry' || handling === 'fatal') throw error;
      this.#options.log.warn({ reason: describeError(error) }, 'derivation starts again');
      this.#forget();
      return 'progressed';
    }
  }

  /** The L1 block that is being derived from; absent while the starting point is looked for. */
  get origin(): L1Block | undefined {
    return this.#cursor && this.#pipeline.origin;
  }

  /** The safe head as far as this L1 block, or the last one derived from before it, says. */
  safeHeadAtL1(l1Number: bigint): Promise<SafeHead | undefined> {
    return this.#safeHeads.at(l1Number);
  }

  #forget(): void {
    this.#cursor = undefined;
    this.#attributes = undefined;
    this.#backupUnsafe = undefined;
    this.#resets.inc();
  }

  async #start(): Promise<void> {
    const { engine, l1, config, log } = this.#options;
    const start = await findStart({ config, l1, chain: engine.chain, safeHeads: this.#safeHeads });
    const { safe, finalized } = engine.heads;
    if (safe.number > start.safe.number) {
      await engine.setHeads({ safe: start.safe.number < finalized.number ? finalized : start.safe });
    }
    this.#pipeline.reset(start);
    this.#cursor = start.cursor;
    this.#concluded = start.cursor;
    log.info({ l2: start.cursor.header.number, l1: start.derivedUpTo.number }, 'derivation starts');
  }

  async #derive(cursor: Block): Promise<'progressed' | 'idle'> {
    if (!this.#attributes) {
      const next = await this.#pipeline.next(cursor);
      if (next === 'not-enough-data') return 'progressed';
      if (next === 'end-of-source') return this.#advance(cursor);
      this.#attributes = next;
    }
    await this.#process(this.#attributes);
    this.#attributes = undefined;
    return 'progressed';
  }

  /** All that L1 says so far is derived: notes it and moves on. */
  async #advance(cursor: Block): Promise<'progressed' | 'idle'> {
    const { hash, number } = this.#pipeline.origin;
    const known = await this.#safeHeads.at(number);
    // While going over L1 blocks that are derived from already, there is nothing to note.
    if (!known || known.l1.number < number) {
      await this.#safeHeads.record({ l1: { hash, number }, safe: blockIdOf(cursor), isClean: this.#pipeline.isClean });
    }
    this.#originGauge.set(Number(number));
    if (await this.#pipeline.advance()) return 'progressed';
    await this.#checkL1();
    await this.#finalize();
    return 'idle';
  }

  /** An L1 that isn't longer may still be another; one that is only behind is waited for. @throws L1_REORG */
  async #checkL1(): Promise<void> {
    const head = await this.#options.l1.head('latest');
    const seen = await this.#safeHeads.at(head.number);
    if (seen && seen.l1.number === head.number && seen.l1.hash !== head.hash) {
      throw nodeError('L1_REORG', 'an L1 block that was derived from is no longer canonical', { number: head.number });
    }
  }

  /** What was derived from a final L1 block is final (derivation.md, "Engine Queue"). */
  async #finalize(): Promise<void> {
    const { engine, l1 } = this.#options;
    const final = await l1.head('finalized');
    const entry = await this.#safeHeads.at(final.number);
    if (!entry || entry.safe.number <= engine.heads.finalized.number) return;
    const l1Stands = (await l1.blockByNumber(entry.l1.number))?.hash === entry.l1.hash;
    if (!l1Stands || entry.safe.number > engine.heads.safe.number) return;
    if (await engine.chain.isCanonical(entry.safe)) await engine.setHeads({ finalized: entry.safe });
  }

  /** Finds or makes the block of these attributes and moves the cursor to it. */
  async #process(attributes: DerivedAttributes): Promise<void> {
    const { config, log } = this.#options;
    const { parent, derivedFrom } = attributes;
    const block = await this.#blockOf(attributes, 'built');
    if (block) {
      await this.#moveTo(block, attributes.concludes);
    } else if (isForkActive(config.forks, 'holocene', derivedFrom.timestamp)) {
      log.warn({ parent: parent.header.number }, 'a batch makes no valid block: its deposits alone do');
      this.#pipeline.flush();
      const replacement = await this.#blockOf({ ...attributes, transactions: [] }, 'replaced');
      if (replacement) await this.#moveTo(replacement, true);
    } else {
      log.warn({ parent: parent.header.number }, 'a batch makes no valid block and is dropped, with all of its span');
      await this.#restoreUnsafe();
      this.#cursor = this.#concluded;
    }
  }

  /** The canonical block if it is what the attributes make, otherwise a new one in its place; undefined when they are invalid. */
  async #blockOf(attributes: DerivedAttributes, kind: 'built' | 'replaced'): Promise<Block | undefined> {
    const { engine } = this.#options;
    const { parent } = attributes;
    const existing = await engine.chain.blockByNumber(parent.header.number + 1n);
    if (existing && matchesAttributes(existing, attributes)) {
      this.#blocks.inc({ kind: 'consolidated' });
      return existing;
    }
    const sealed = await executeAttributes(engine, attributes);
    if (!sealed) return undefined;
    if (existing?.hash === sealed.hash) return existing;
    await this.#lowerSafeTo(parent);
    if (existing && !attributes.concludes) this.#backupUnsafe ??= engine.heads.unsafe.hash;
    this.#blocks.inc({ kind });
    return engine.insert(sealed, { safe: attributes.concludes && this.#isNextSafe(parent) });
  }

  /** Before Holocene an invalid block undoes its whole span: what stood in the unsafe chain before it stands again. */
  async #restoreUnsafe(): Promise<void> {
    const { engine, log } = this.#options;
    const backup = this.#backupUnsafe;
    this.#backupUnsafe = undefined;
    if (!backup) return;
    await engine.setUnsafeHead(backup);
    log.warn({ unsafe: engine.heads.unsafe.number }, 'the unsafe chain before the invalid span batch is restored');
  }

  /** Only the safe head's child can become safe with its insertion. */
  #isNextSafe(parent: Block): boolean {
    return parent.hash === this.#options.engine.heads.safe.hash;
  }

  /** L1 says another block after `parent` than the one that was safe. */
  async #lowerSafeTo(parent: Block): Promise<void> {
    const { engine } = this.#options;
    const { safe, finalized } = engine.heads;
    if (parent.header.number >= safe.number) return;
    if (parent.header.number < finalized.number) {
      throw nodeError('FINALITY_CONFLICT', 'L1 says another block than the one that is final', {
        number: parent.header.number + 1n,
      });
    }
    await engine.setHeads({ safe: blockIdOf(parent) });
  }

  async #moveTo(block: Block, concludes: boolean): Promise<void> {
    const { engine } = this.#options;
    if (concludes) {
      this.#backupUnsafe = undefined;
      this.#concluded = block;
    }
    if (concludes && block.header.number > engine.heads.safe.number) {
      if (!(await engine.chain.isCanonical(blockIdOf(block)))) {
        throw nodeError('DERIVATION_INCONSISTENT', 'the derived block was taken back', { number: block.header.number });
      }
      await engine.setHeads({ safe: blockIdOf(block) });
    }
    this.#cursor = block;
  }
}
