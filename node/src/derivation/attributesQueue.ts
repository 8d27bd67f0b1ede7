import type { RollupConfig } from '@openledger/chain-config';
import type { Hex } from 'viem';
import { type PayloadAttributes, preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import { nodeError } from '../errors.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import type { Block } from '../primitives/block.ts';
import type { BatchStageLike, NextBatch } from './batchQueue.ts';
import { isPending, type Pending, parentOf } from './stage.ts';

/** All that makes the block after `parent`: what L1 says, and the transactions of its batch. */
export type DerivedAttributes = PayloadAttributes & {
  readonly parent: Block;
  /** Raw, as the batch has them; they follow the deposits. */
  readonly transactions: readonly Hex[];
  readonly derivedFrom: L1Block;
  readonly concludes: boolean;
};

/** Turns batches into attributes (derivation.md, "Payload Attributes Derivation"). */
export class AttributesQueue {
  readonly #previous: () => BatchStageLike;
  readonly #l1: Pick<L1Source, 'blockByHash' | 'receipts'>;
  readonly #config: RollupConfig;
  readonly #origin: () => L1Block;
  /** Kept while L1 doesn't answer. */
  #next: NextBatch | undefined;

  constructor(options: {
    previous: () => BatchStageLike;
    l1: Pick<L1Source, 'blockByHash' | 'receipts'>;
    config: RollupConfig;
    origin: () => L1Block;
  }) {
    this.#previous = options.previous;
    this.#l1 = options.l1;
    this.#config = options.config;
    this.#origin = options.origin;
  }

  reset(): void {
    this.#next = undefined;
  }

  async next(parent: Block): Promise<DerivedAttributes | Pending> {
    if (!this.#next) {
      const next = await this.#previous().nextBatch(parentOf(parent));
      if (isPending(next)) return next;
      this.#next = next;
    }
    const { batch, concludes } = this.#next;
    if (batch.parentHash !== parent.hash) {
      throw nodeError('DERIVATION_INCONSISTENT', 'the batch is not for this parent', { parent: parent.hash });
    }
    const origin = await this.#l1.blockByHash(batch.epoch.hash);
    if (!origin) throw nodeError('L1_REORG', 'the L1 origin of a batch is gone', { origin: batch.epoch.hash });
    const options = { config: this.#config, parent, origin, l1: this.#l1 };
    const prepared = await preparePayloadAttributes(options);
    this.#next = undefined;
    return { ...prepared, parent, transactions: batch.transactions, derivedFrom: this.#origin(), concludes };
  }
}
