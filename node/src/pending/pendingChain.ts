import type { Hex } from 'viem';
import type { Engine } from '../engine/engine.ts';
import type { Flashblock, PendingBlock } from './flashblock.ts';

/**
 * The open block as the world outside the sequencer knows it: what `pending` reads, and the flashblocks as they come. On a
 * node that doesn't sequence nothing is ever pending.
 */
export class PendingChain {
  readonly #engine: Engine;
  readonly #listeners = new Set<(flashblock: Flashblock) => void>();
  #open: Flashblock[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The open block after its last flashblock; none once another block stands on its parent. */
  get block(): PendingBlock | undefined {
    const block = this.#open.at(-1)?.block;
    return block?.header.parentHash === this.#engine.heads.unsafe.hash ? block : undefined;
  }

  /** Flashblocks of the open block so far. */
  get flashblocks(): readonly Flashblock[] {
    return this.block ? this.#open : [];
  }

  /** Where a preconfirmed transaction stands in the open block. */
  transaction(hash: Hex): { block: PendingBlock; index: number } | undefined {
    const { block } = this;
    const index = block?.transactions.findIndex((transaction) => transaction.hash === hash) ?? -1;
    return block && index >= 0 ? { block, index } : undefined;
  }

  /** Told of each flashblock. Listeners must not throw. */
  onFlashblock(listener: (flashblock: Flashblock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Effects: tells pending queries, the stream and the event feed. */
  publish(flashblock: Flashblock): void {
    const { payloadId, index, block, from, events } = flashblock;
    if (index === 0) this.#open = [];
    this.#open.push(flashblock);
    this.#engine.eventLog.provisional.publish({
      kind: 'provisional',
      number: block.header.number,
      parentHash: block.header.parentHash,
      timestamp: block.header.timestamp,
      payloadId,
      index,
      firstTxIndex: from,
      transactions: block.transactions.slice(from).map(({ hash }) => hash),
      events,
    });
    for (const listener of this.#listeners) listener(flashblock);
  }

  /** The open block became the chain's head: its flashblocks are history. */
  sealed(): void {
    this.#open = [];
    this.#engine.eventLog.provisional.clear();
  }

  /** The open block was given up: nothing that was published of it counts. */
  withdraw(): void {
    this.#open = [];
    this.#engine.eventLog.provisional.withdraw();
  }
}
