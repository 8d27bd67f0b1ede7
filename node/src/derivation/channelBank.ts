import { channelTimeout, isForkActive, maxChannelBankSize, type RollupConfig } from '@openledger/chain-config';
import type { Hex } from 'viem';
import { Channel } from '../channels/channel.ts';
import type { Frame } from '../channels/frame.ts';
import type { L1Block } from '../l1/l1Source.ts';
import { isPending, type Pending } from './stage.ts';

/** The stage that makes whole channels of frames; which one it is depends on Holocene. */
export type ChannelStage = {
  /** The compressed content of a channel. */
  nextChannel(): Promise<Uint8Array | Pending>;
  /** Whether it holds nothing that a later frame could complete. */
  readonly isClean: boolean;
};

export type ChannelStageOptions = {
  previous: { nextFrame(): Promise<Frame | Pending> };
  origin: () => L1Block;
  config: RollupConfig;
};

/** Before Holocene: many channels at once, their frames in any order (derivation.md, "Channel Bank"). */
export class ChannelBank implements ChannelStage {
  readonly #options: ChannelStageOptions;
  /** In order of opening. */
  readonly #channels = new Map<Hex, Channel>();

  constructor(options: ChannelStageOptions) {
    this.#options = options;
  }

  get isClean(): boolean {
    return [...this.#channels.values()].every((channel) => this.#isTimedOut(channel));
  }

  async nextChannel(): Promise<Uint8Array | Pending> {
    const ready = this.#takeReady();
    if (ready) return ready.data();
    const frame = await this.#options.previous.nextFrame();
    if (isPending(frame)) return frame;
    this.#ingest(frame);
    return 'not-enough-data';
  }

  /** Drops what timed out at the front, then takes the first that is ready; before Canyon only the front one may go. */
  #takeReady(): Channel | undefined {
    for (const channel of this.#channels.values()) {
      if (!this.#isTimedOut(channel)) break;
      this.#channels.delete(channel.id);
    }
    const all = [...this.#channels.values()];
    const canyon = isForkActive(this.#options.config.forks, 'canyon', this.#options.origin().timestamp);
    const ready = (canyon ? all : all.slice(0, 1)).find((channel) => channel.isReady && !this.#isTimedOut(channel));
    if (ready) this.#channels.delete(ready.id);
    return ready;
  }

  #ingest(frame: Frame): void {
    const origin = this.#options.origin();
    const channel = this.#channels.get(frame.channelId) ?? new Channel(frame.channelId, origin.number);
    if (this.#isTimedOut(channel)) return;
    this.#channels.set(channel.id, channel);
    if (!channel.add(frame)) return;
    let total = [...this.#channels.values()].reduce((sum, { size }) => sum + size, 0);
    for (const oldest of this.#channels.values()) {
      if (total <= maxChannelBankSize(this.#options.config, origin.timestamp)) break;
      total -= oldest.size;
      this.#channels.delete(oldest.id);
    }
  }

  #isTimedOut(channel: Channel): boolean {
    const { origin, config } = this.#options;
    return channel.isTimedOut(origin().number, channelTimeout(config, origin().timestamp));
  }
}
