import type { Hex } from 'viem';
import { concat } from './bytes.ts';
import type { Frame } from './frame.ts';

/** What a frame counts beside its data when a channel's size is limited. */
const FRAME_SIZE_OVERHEAD = 200;

/** Frames of one channel as they come in, in any order (specs/protocol/derivation.md, "Channel Bank"). */
export class Channel {
  readonly id: Hex;
  /** Number of the L1 block that had the first frame seen. */
  readonly openBlock: bigint;
  readonly #frames = new Map<number, Frame>();
  /** Number of the closing frame, once seen. */
  #last: number | undefined;
  #size = 0;

  constructor(id: Hex, openBlock: bigint) {
    this.id = id;
    this.openBlock = openBlock;
  }

  /** Of the frames held, with 200 bytes for each. */
  get size(): number {
    return this.#size;
  }

  /** Number of frames held; the number of the next one where frames come in order. */
  get frameCount(): number {
    return this.#frames.size;
  }

  get isReady(): boolean {
    return this.#last !== undefined && this.#frames.size === this.#last + 1;
  }

  /** Whether the frame was taken: not a duplicate, a second end, or beyond the end. */
  add(frame: Frame): boolean {
    const { frameNumber, isLast } = frame;
    const isClosed = this.#last !== undefined;
    if (this.#frames.has(frameNumber) || (isClosed && (isLast || frameNumber > (this.#last ?? 0)))) return false;
    if (isLast) {
      this.#last = frameNumber;
      for (const number of [...this.#frames.keys()].filter((other) => other > frameNumber)) this.#remove(number);
    }
    this.#frames.set(frameNumber, frame);
    this.#size += frame.data.length + FRAME_SIZE_OVERHEAD;
    return true;
  }

  isTimedOut(l1BlockNumber: bigint, timeout: bigint): boolean {
    return l1BlockNumber > this.openBlock + timeout;
  }

  /** The compressed content; of a channel that is ready. */
  data(): Uint8Array {
    const frames = [...this.#frames.values()].sort((a, b) => a.frameNumber - b.frameNumber);
    return concat(frames.map(({ data }) => data));
  }

  #remove(frameNumber: number): void {
    this.#size -= (this.#frames.get(frameNumber)?.data.length ?? 0) + FRAME_SIZE_OVERHEAD;
    this.#frames.delete(frameNumber);
  }
}
