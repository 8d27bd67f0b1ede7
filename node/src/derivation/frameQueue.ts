import { isForkActive, type RollupConfig } from '@openledger/chain-config';
import { isOpenLedgerError } from '@openledger/kit';
import { type Frame, parseFrames } from '../channels/frame.ts';
import type { L1Block } from '../l1/l1Source.ts';
import { isPending, type Pending } from './stage.ts';

/** Frames of one batcher transaction at a time; since Holocene only those in order (holocene/derivation.md, "Frame Queue"). */
export class FrameQueue {
  readonly #previous: { nextData(): Promise<Uint8Array | Pending> };
  readonly #origin: () => L1Block;
  readonly #config: RollupConfig;
  #frames: Frame[] = [];

  constructor(options: {
    previous: { nextData(): Promise<Uint8Array | Pending> };
    origin: () => L1Block;
    config: RollupConfig;
  }) {
    this.#previous = options.previous;
    this.#origin = options.origin;
    this.#config = options.config;
  }

  reset(): void {
    this.#frames = [];
  }

  async nextFrame(): Promise<Frame | Pending> {
    if (this.#frames.length === 0) {
      const data = await this.#previous.nextData();
      if (isPending(data)) return data;
      const frames = parseOrSkip(data);
      this.#frames = isForkActive(this.#config.forks, 'holocene', this.#origin().timestamp) ? inOrder(frames) : frames;
    }
    return this.#frames.shift() ?? 'not-enough-data';
  }
}

const parseOrSkip = (data: Uint8Array): Frame[] => {
  try {
    return parseFrames(data);
  } catch (error) {
    if (isOpenLedgerError(error, 'FRAME_MALFORMED')) return [];
    throw error;
  }
};

/**
 * The frames that follow one another: of one channel consecutive and up to its end; the first frame of another channel takes the
 * place of one that didn't end. The channel before these frames is the channel assembler's business.
 */
export const inOrder = (frames: readonly Frame[]): Frame[] => {
  let kept: Frame[] = [];
  for (const frame of frames) {
    const last = kept.at(-1);
    if (last && last.channelId === frame.channelId) {
      if (last.isLast || frame.frameNumber !== last.frameNumber + 1) continue;
    } else if (last) {
      if (frame.frameNumber !== 0) continue;
      if (!last.isLast) kept = kept.slice(0, kept.findLastIndex(({ channelId }) => channelId !== last.channelId) + 1);
    }
    kept.push(frame);
  }
  return kept;
};
