import { channelTimeout, maxRlpBytesPerChannel } from '@openledger/chain-config';
import { Channel } from '../channels/channel.ts';
import type { ChannelStage, ChannelStageOptions } from './channelBank.ts';
import { isPending, type Pending } from './stage.ts';

/** Since Holocene: one channel at a time, its frames in order (holocene/derivation.md, "Channel Bank"). */
export class ChannelAssembler implements ChannelStage {
  readonly #options: ChannelStageOptions;
  #staging: Channel | undefined;

  constructor(options: ChannelStageOptions) {
    this.#options = options;
  }

  get isClean(): boolean {
    return this.#staging === undefined || this.#isTimedOut(this.#staging);
  }

  async nextChannel(): Promise<Uint8Array | Pending> {
    if (this.#staging && this.#isTimedOut(this.#staging)) this.#staging = undefined;
    const frame = await this.#options.previous.nextFrame();
    if (isPending(frame)) return frame;
    const { number, timestamp } = this.#options.origin();
    // A first frame always starts over, whatever was staged.
    if (frame.frameNumber === 0) this.#staging = new Channel(frame.channelId, number);
    const channel = this.#staging;
    const isNext = channel?.id === frame.channelId && channel.frameCount === frame.frameNumber;
    if (!channel || !isNext || !channel.add(frame)) return 'not-enough-data';
    if (channel.size > maxRlpBytesPerChannel(this.#options.config, timestamp)) {
      this.#staging = undefined;
      return 'not-enough-data';
    }
    if (!channel.isReady) return 'not-enough-data';
    this.#staging = undefined;
    return channel.data();
  }

  #isTimedOut(channel: Channel): boolean {
    const { origin, config } = this.#options;
    return channel.isTimedOut(origin().number, channelTimeout(config, origin().timestamp));
  }
}
