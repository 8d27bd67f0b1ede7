import type { RollupConfig } from '@openledger/chain-config';
import type { Batch } from '../channels/batch.ts';
import type { SingularBatch } from '../channels/singularBatch.ts';
import { deriveSingularBatches, type SpanElement } from '../channels/spanBatch.ts';
import { nodeError } from '../errors.ts';
import type { L1Block } from '../l1/l1Source.ts';
import { type BatchValidity, checkSingularBatch } from './checkBatch.ts';
import { checkSpanBatch } from './checkSpanBatch.ts';
import type { Epochs } from './epochs.ts';
import { isPending, type L2Parent, type Pending, type SafeChain } from './stage.ts';

/** One block's batch, and whether the next may be judged without it: a span stands or falls as a whole before Holocene. */
export type NextBatch = { readonly batch: SingularBatch; readonly concludes: boolean };

/** The stage that finds the batch of the next block; which one it is depends on Holocene. */
export type BatchStageLike = {
  nextBatch(parent: L2Parent): Promise<NextBatch | Pending>;
  /** Gives up what came from the channel that is being read. */
  flush(): void;
  /** Whether it holds no batches. */
  readonly isClean: boolean;
};

export type BatchStageOptions = {
  previous: { nextBatch(): Promise<Batch | Pending>; flush(): void };
  epochs: Epochs;
  origin: () => L1Block;
  safeChain: SafeChain;
  config: RollupConfig;
};

type Included = { readonly batch: Batch; readonly inclusion: L1Block };

/** Before Holocene: batches may come in any order and wait for their turn (derivation.md, "Batch Queue"). */
export class BatchQueue implements BatchStageLike {
  readonly #options: BatchStageOptions;
  /** In order of inclusion. */
  #waiting: Included[] = [];
  #span: SpanElement[] = [];

  constructor(options: BatchStageOptions) {
    this.#options = options;
  }

  get isClean(): boolean {
    return this.#waiting.length === 0 && this.#span.length === 0;
  }

  flush(): void {
    this.#span = [];
    this.#options.previous.flush();
  }

  async nextBatch(parent: L2Parent): Promise<NextBatch | Pending> {
    const { epochs, origin, previous, config } = this.#options;
    const fromSpan = this.#nextOfSpan(parent);
    if (fromSpan) return fromSpan;
    epochs.extend(origin());
    epochs.prune(parent);
    const batch = await previous.nextBatch();
    if (batch === 'not-enough-data') return batch;
    if (!isPending(batch)) await this.#add({ batch, inclusion: origin() }, parent);
    if (!epochs.fits(parent)) throw nodeError('DERIVATION_INCONSISTENT', 'the batches are of another L1 chain');

    const found = await this.#firstAccepted(parent);
    if (found === 'undecided') return isPending(batch) ? batch : 'not-enough-data';
    if (found?.type === 'singular') return { batch: found, concludes: true };
    if (found) {
      const { genesis, blockTime } = config;
      const options = { l1Origins: epochs.blocks, genesisTime: genesis.l2Time, blockTime, after: parent.timestamp };
      this.#span = deriveSingularBatches(found, options) ?? [];
      return this.#nextOfSpan(parent) ?? 'not-enough-data';
    }
    if (!isPending(batch)) return 'not-enough-data';
    const forced = epochs.forcedBatch(parent, config);
    return forced ? { batch: forced, concludes: true } : batch;
  }

  #nextOfSpan(parent: L2Parent): NextBatch | undefined {
    const [element, ...rest] = this.#span;
    if (!element) return undefined;
    // Another parent means that the block before was not valid: the rest of the span isn't either.
    const fits = element.timestamp === parent.timestamp + this.#options.config.blockTime;
    this.#span = fits ? rest : [];
    if (!fits) return undefined;
    return { batch: { type: 'singular', parentHash: parent.hash, ...element }, concludes: rest.length === 0 };
  }

  async #add(included: Included, parent: L2Parent): Promise<void> {
    if ((await this.#check(included, parent)) !== 'drop') this.#waiting.push(included);
  }

  /** Undecided stops the search: what comes after must not overtake. */
  async #firstAccepted(parent: L2Parent): Promise<Batch | 'undecided' | undefined> {
    const kept: Included[] = [];
    for (const [index, included] of this.#waiting.entries()) {
      const validity = await this.#check(included, parent);
      if (validity === 'future') kept.push(included);
      if (validity !== 'accept' && validity !== 'undecided') continue;
      this.#waiting = [...kept, ...this.#waiting.slice(validity === 'accept' ? index + 1 : index)];
      return validity === 'accept' ? included.batch : validity;
    }
    this.#waiting = kept;
    return undefined;
  }

  async #check({ batch, inclusion }: Included, parent: L2Parent): Promise<BatchValidity> {
    const { config, epochs, safeChain } = this.#options;
    const context = { config, epochs: epochs.blocks, parent, inclusion, safeChain };
    return batch.type === 'singular' ? checkSingularBatch(batch, context) : checkSpanBatch(batch, context);
  }
}
