import type { RollupConfig } from '@openledger/chain-config';
import type { SingularBatch } from '../channels/singularBatch.ts';
import type { L1Block } from '../l1/l1Source.ts';
import type { L2Parent } from './stage.ts';

/** The L1 blocks from the epoch being filled up to the one being derived from, and the batches that follow from having none. */
export class Epochs {
  #blocks: L1Block[] = [];

  get blocks(): readonly L1Block[] {
    return this.#blocks;
  }

  /** Starts with the L1 origin of the L2 block that derivation goes on from. */
  reset(base: L1Block): void {
    this.#blocks = [base];
  }

  /** Takes in where L1 traversal is now. */
  extend(origin: L1Block): void {
    if (this.#blocks.at(-1)?.number !== origin.number) this.#blocks.push(origin);
  }

  /** Lets go of the epochs before the parent's. */
  prune(parent: L2Parent): void {
    const place = this.#blocks.findIndex(({ number }) => number === parent.l1Origin.number);
    if (place > 0) this.#blocks = this.#blocks.slice(place);
  }

  /** Whether the parent is of the first epoch, or of the one before it: that one was left without another block. */
  fits(parent: L2Parent): boolean {
    const [epoch] = this.#blocks;
    return epoch !== undefined && (parent.l1Origin.hash === epoch.hash || parent.l1Origin.number === epoch.number - 1n);
  }

  /**
   * The empty batch for the next block once the epoch's sequencing window is over, with all data of the window read
   * (derivation.md, end of "Batch Queue"). An epoch that has all its blocks is left; its successor waits for its own window.
   */
  forcedBatch(parent: L2Parent, config: RollupConfig): SingularBatch | undefined {
    const [epoch, next] = this.#blocks;
    const origin = this.#blocks.at(-1);
    if (!epoch || !next || !origin || epoch.number + config.sequencerWindowSize > origin.number) return undefined;
    const timestamp = parent.timestamp + config.blockTime;
    const isFirst = epoch.number === parent.l1Origin.number + 1n;
    if (timestamp >= next.timestamp && !isFirst) {
      this.#blocks = this.#blocks.slice(1);
      return undefined;
    }
    const { number, hash } = epoch;
    return { type: 'singular', parentHash: parent.hash, epoch: { number, hash }, timestamp, transactions: [] };
  }
}
