import type { SingularBatch } from '../channels/singularBatch.ts';
import { deriveSingularBatches, type SpanBatch, type SpanElement } from '../channels/spanBatch.ts';
import { nodeError } from '../errors.ts';
import type { BatchStageLike, BatchStageOptions, NextBatch } from './batchQueue.ts';
import { checkSingularBatch } from './checkBatch.ts';
import { checkSpanBatchPrefix } from './checkSpanBatch.ts';
import { isPending, type L2Parent, type Pending } from './stage.ts';

/**
 * Since Holocene: batches come in order or not at all, blocks of a span are judged one by one, and the first invalid one takes
 * the rest of its channel with it (holocene/derivation.md, "Span Batches" and "Batch Queue").
 */
export class BatchStage implements BatchStageLike {
  readonly #options: BatchStageOptions;
  #span: SpanElement[] = [];

  constructor(options: BatchStageOptions) {
    this.#options = options;
  }

  get isClean(): boolean {
    return this.#span.length === 0;
  }

  flush(): void {
    this.#span = [];
    this.#options.previous.flush();
  }

  async nextBatch(parent: L2Parent): Promise<NextBatch | Pending> {
    const { config, epochs, origin } = this.#options;
    epochs.extend(origin());
    epochs.prune(parent);
    if (!epochs.fits(parent)) throw nodeError('DERIVATION_INCONSISTENT', 'the batches are of another L1 chain');
    const batch = await this.#candidate(parent);
    if (batch === 'end-of-source') {
      const forced = epochs.forcedBatch(parent, config);
      return forced ? { batch: forced, concludes: true } : batch;
    }
    if (batch === 'not-enough-data') return batch;
    const validity = checkSingularBatch(batch, { config, epochs: epochs.blocks, parent, inclusion: origin() });
    if (validity === 'accept') return { batch, concludes: true };
    if (validity === 'drop') this.flush();
    return 'not-enough-data';
  }

  async #candidate(parent: L2Parent): Promise<SingularBatch | Pending> {
    const queued = this.#nextOfSpan(parent);
    if (queued) return queued;
    const batch = await this.#options.previous.nextBatch();
    if (isPending(batch) || batch.type === 'singular') return batch;
    await this.#open(batch, parent);
    return this.#nextOfSpan(parent) ?? 'not-enough-data';
  }

  /** Makes a span's new blocks the next candidates, or drops it. */
  async #open(span: SpanBatch, parent: L2Parent): Promise<void> {
    const { config, epochs, origin, safeChain } = this.#options;
    const context = { config, epochs: epochs.blocks, parent, inclusion: origin(), safeChain };
    const { validity } = await checkSpanBatchPrefix(span, context);
    if (validity === 'past' || validity === 'undecided') return;
    const elements =
      validity === 'accept'
        ? deriveSingularBatches(span, {
            l1Origins: epochs.blocks,
            genesisTime: config.genesis.l2Time,
            blockTime: config.blockTime,
            after: parent.timestamp,
          })
        : undefined;
    if (elements) this.#span = elements;
    else this.flush();
  }

  #nextOfSpan(parent: L2Parent): SingularBatch | undefined {
    const element = this.#span.shift();
    return element && { type: 'singular', parentHash: parent.hash, ...element };
  }
}
