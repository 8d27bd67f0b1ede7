import { isForkActive, maxRlpBytesPerChannel, type RollupConfig } from '@openledger/chain-config';
import { type Batch, readBatches } from '../channels/batch.ts';
import { decompressChannel } from '../channels/compression.ts';
import type { L1Block } from '../l1/l1Source.ts';
import type { ChannelStage } from './channelBank.ts';
import { isPending, type Pending } from './stage.ts';

/** Decompresses channels and reads their batches (derivation.md, "Channel Reader"). */
export class ChannelInReader {
  readonly #previous: () => ChannelStage;
  readonly #origin: () => L1Block;
  readonly #config: RollupConfig;
  #batches: Iterator<Batch, void> | undefined;

  constructor(options: { previous: () => ChannelStage; origin: () => L1Block; config: RollupConfig }) {
    this.#previous = options.previous;
    this.#origin = options.origin;
    this.#config = options.config;
  }

  /** Gives up the rest of the channel. */
  flush(): void {
    this.#batches = undefined;
  }

  async nextBatch(): Promise<Batch | Pending> {
    const { timestamp } = this.#origin();
    const { forks, l2ChainId } = this.#config;
    if (!this.#batches) {
      const data = await this.#previous().nextChannel();
      if (isPending(data)) return data;
      const maxRlpBytes = maxRlpBytesPerChannel(this.#config, timestamp);
      const content = decompressChannel(data, { maxRlpBytes, brotli: isForkActive(forks, 'fjord', timestamp) });
      this.#batches = readBatches(content, l2ChainId);
    }
    const next = this.#batches.next();
    if (next.done) {
      this.#batches = undefined;
      return 'not-enough-data';
    }
    const tooEarly = next.value.type === 'span' && !isForkActive(forks, 'delta', timestamp);
    return tooEarly ? 'not-enough-data' : next.value;
  }
}
