import { handlingOf, type Logger, sleep } from '@openledger/kit';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import type { L1Source } from '../l1/l1Source.ts';
import type { Mempool } from '../mempool/mempool.ts';
import type { PendingChain } from '../pending/pendingChain.ts';
import type { Block } from '../primitives/block.ts';
import { selectL1Origin } from './l1Origin.ts';
import { OpenBlock } from './openBlock.ts';
import type { SequencerMetrics } from './sequencerMetrics.ts';

export type BlockBuilderOptions = {
  engine: Engine;
  mempool: Mempool;
  pending: PendingChain;
  l1: L1Source;
  /** L1 blocks that must stand on an origin before it is used. */
  l1Confirmations: bigint;
  log: Logger;
  metrics: SequencerMetrics;
};

/** L1 gets this long to say that the origin still stands; a block isn't held up by an L1 that doesn't answer. */
const ORIGIN_CHECK_MS = 100;

/**
 * Keeps at most one block open: `begin`, any number of `extend`, `seal`. Whatever goes wrong in between drops the block and
 * announces what was preconfirmed as withdrawn; its transactions still wait in the pool.
 */
export class BlockBuilder {
  readonly #options: BlockBuilderOptions;
  #open: OpenBlock | undefined;

  constructor(options: BlockBuilderOptions) {
    this.#options = options;
  }

  get open(): OpenBlock | undefined {
    return this.#open;
  }

  /**
   * Opens a block on the head and publishes its deposits, or on an ancestor of the head; the latter is published only when it
   * has taken the head's place. @throws L1_REORG, L1_UNAVAILABLE, BLOCK_INVALID
   */
  async begin(onto?: Block): Promise<OpenBlock> {
    const { engine, l1, l1Confirmations: confirmations } = this.#options;
    this.withdraw('another block is begun');
    const head = engine.heads.unsafe.hash;
    const parent = onto ?? (await engine.headBlock());
    const origin = await selectL1Origin({ parent, config: engine.config, l1, confirmations });
    this.#open = await OpenBlock.begin(engine, l1, { parent, origin, head });
    await this.#guarded((open) => this.#publish(open));
    return this.#open;
  }

  /** Takes in what came since, for `budgetMs` at most, and publishes it. @throws HEAD_MOVED */
  async extend(budgetMs: number): Promise<void> {
    const { mempool } = this.#options;
    await this.#guarded(async (open) => {
      this.#checkHead(open);
      if (budgetMs > 0) await open.extend(mempool, budgetMs);
      this.#checkHead(open);
      await this.#publish(open);
    });
  }

  /** Commits exactly what was applied. @throws HEAD_MOVED, L1_REORG */
  async seal(): Promise<Block> {
    const { engine, mempool, pending, metrics } = this.#options;
    return this.#guarded(async (open) => {
      await this.#checkOrigin(open);
      const { head: onHead, events } = open;
      const block = await engine.insert(await open.seal(), { onHead, ...(events ? { events } : {}) });
      this.#open = undefined;
      mempool.preconfirmed.clear();
      pending.sealed();
      for (const { transaction, reason } of open.refused) await mempool.drop(transaction, reason);
      metrics.sealed(block);
      return block;
    });
  }

  /** Gives the open block up, if there is one. */
  withdraw(reason: string): void {
    const { mempool, pending, log, metrics } = this.#options;
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    mempool.preconfirmed.clear();
    pending.withdraw();
    metrics.withdrawn();
    log.warn({ payloadId: open.payloadId, transactions: open.size, reason }, 'open block withdrawn');
  }

  async #publish(open: OpenBlock): Promise<void> {
    const { pending, metrics } = this.#options;
    if (open.parent.hash !== open.head) return;
    const flashblock = await open.flashblock();
    if (!flashblock) return;
    pending.publish(flashblock);
    metrics.published(flashblock);
  }

  #checkHead(open: OpenBlock): void {
    const { unsafe } = this.#options.engine.heads;
    if (unsafe.hash === open.head) return;
    throw nodeError('HEAD_MOVED', 'another block became the head', { head: unsafe.hash, opened: open.head });
  }

  /** @throws L1_REORG; an L1 that doesn't answer in time is no reason to hold the block up */
  async #checkOrigin({ origin }: OpenBlock): Promise<void> {
    const asked = this.#options.l1.blockByNumber(origin.number).catch((error) => {
      if (handlingOf(error) !== 'retry') throw error;
    });
    const late = new AbortController();
    const canonical = await Promise.race([asked, sleep(ORIGIN_CHECK_MS, late.signal)]);
    late.abort();
    if (canonical && canonical.hash !== origin.hash) {
      throw nodeError('L1_REORG', 'the L1 origin of the open block is no longer canonical', { origin: origin.hash });
    }
  }

  async #guarded<T>(work: (open: OpenBlock) => Promise<T>): Promise<T> {
    const open = this.#open;
    if (!open) throw nodeError('HEAD_MOVED', 'no block is open');
    try {
      return await work(open);
    } catch (error) {
      this.withdraw(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
}
