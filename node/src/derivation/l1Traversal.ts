import type { BlockId, RollupConfig, SystemConfig } from '@openledger/chain-config';
import { nodeError } from '../errors.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import { updateSystemConfig } from '../l1/systemConfigUpdates.ts';

/** Goes from one L1 block to the next and keeps the SystemConfig as of it (derivation.md, "L1 Traversal"). */
export class L1Traversal {
  readonly #l1: Pick<L1Source, 'blockByNumber' | 'receipts'>;
  readonly #config: RollupConfig;
  #state: { block: L1Block; systemConfig: SystemConfig } | undefined;
  #derivedUpTo: BlockId | undefined;

  constructor(options: { l1: Pick<L1Source, 'blockByNumber' | 'receipts'>; config: RollupConfig }) {
    this.#l1 = options.l1;
    this.#config = options.config;
  }

  /** The block that data is read from now. */
  get origin(): L1Block {
    return this.#current.block;
  }

  get systemConfig(): SystemConfig {
    return this.#current.systemConfig;
  }

  /** `derivedUpTo` is the block, this one or a later, whose data is derived already: it must be there on the way. */
  reset(block: L1Block, systemConfig: SystemConfig, derivedUpTo: BlockId): void {
    this.#state = { block, systemConfig };
    this.#derivedUpTo = derivedUpTo;
  }

  /** Moves to the next block; false while L1 has none. @throws L1_REORG when it doesn't follow this one */
  async advance(): Promise<boolean> {
    const { block, systemConfig } = this.#current;
    const next = await this.#l1.blockByNumber(block.number + 1n);
    if (!next) return false;
    const isOther = next.number === this.#derivedUpTo?.number && next.hash !== this.#derivedUpTo.hash;
    if (isOther || next.parentHash !== block.hash) {
      throw nodeError('L1_REORG', 'the next L1 block does not follow what was derived from', {
        origin: block.hash,
        next: next.hash,
      });
    }
    const receipts = await this.#l1.receipts(next);
    this.#state = {
      block: next,
      systemConfig: updateSystemConfig(systemConfig, receipts, this.#config, next.timestamp),
    };
    return true;
  }

  get #current() {
    if (!this.#state) throw nodeError('DERIVATION_INCONSISTENT', 'the pipeline is read before it is reset');
    return this.#state;
  }
}
