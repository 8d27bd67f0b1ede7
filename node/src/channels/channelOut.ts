import { randomBytes } from 'node:crypto';
import type { BlockId } from '@openledger/chain-config';
import { bytesToHex, type Hex } from 'viem';
import { nodeError } from '../errors.ts';
import { encodeBatch } from './batch.ts';
import { type Compression, compress } from './compression.ts';
import { FRAME_OVERHEAD, type Frame, MAX_FRAME_LEN, MAX_FRAME_NUMBER } from './frame.ts';
import { SpanBatchBuilder } from './spanBatch.ts';

/** What a batcher tells of an L2 block. */
export type ChannelBlock = {
  readonly parentHash: Hex;
  readonly timestamp: bigint;
  /** The L1 origin. */
  readonly epoch: BlockId;
  readonly sequenceNumber: bigint;
  /** Raw, without the deposits. */
  readonly transactions: readonly Hex[];
};

export type ChannelOutOptions = {
  readonly kind: 'singular' | 'span';
  readonly compression: Compression;
  readonly chainId: number;
  /** L2 genesis, seconds. */
  readonly genesisTime: bigint;
  readonly blockTime: bigint;
  /** Of the uncompressed content (`MAX_RLP_BYTES_PER_CHANNEL`). */
  readonly maxRlpBytes: number;
  /** 16 bytes; random unless given. */
  readonly id?: Hex;
  /** The codec's default, a good one for channels, unless given. */
  readonly level?: number;
};

/** Share by which the content grows before it is compressed again just to know its size. */
const REMEASURE_SHARE = 1 / 8;

/** A channel being filled with consecutive L2 blocks: `add` until full, `close`, then send its `frames`. */
export class ChannelOut {
  readonly id: Hex;
  readonly #options: ChannelOutOptions;
  readonly #singular: Uint8Array[] = [];
  readonly #span: SpanBatchBuilder;
  #singularBytes = 0;
  #blocks = 0;
  #measured = { input: 0, compressed: 0 };
  #closed: Uint8Array | undefined;

  constructor(options: ChannelOutOptions) {
    this.#options = options;
    this.id = options.id ?? bytesToHex(randomBytes(16));
    this.#span = new SpanBatchBuilder(options);
  }

  get blockCount(): number {
    return this.#blocks;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Size of the content before compression. */
  get inputBytes(): number {
    if (this.#blocks === 0) return 0;
    return this.#options.kind === 'singular' ? this.#singularBytes : this.#span.rlpBytes;
  }

  /** Size of the channel: exact once closed, until then an upper estimate (what came since the last look isn't compressed). */
  get compressedBytes(): number {
    if (this.#closed) return this.#closed.length;
    const growth = this.inputBytes - this.#measured.input;
    if (growth > this.#measured.input * REMEASURE_SHARE) {
      this.#measured = { input: this.inputBytes, compressed: this.#compress().length };
    }
    return this.#measured.compressed + this.inputBytes - this.#measured.input;
  }

  /**
   * Takes the next block in; false when the channel is too full for it, and then it is unchanged. False from an empty channel
   * means that no channel holds this block.
   * @throws CHANNEL_CLOSED, BATCH_MALFORMED when the block doesn't follow the one before it
   */
  add(block: ChannelBlock): boolean {
    if (this.#closed) throw nodeError('CHANNEL_CLOSED', 'the channel takes no more blocks');
    const { kind, maxRlpBytes } = this.#options;
    if (kind === 'span') {
      if (!this.#span.add(block, maxRlpBytes)) return false;
    } else {
      const { parentHash, timestamp, epoch, transactions } = block;
      const batch = encodeBatch({ type: 'singular', parentHash, timestamp, epoch, transactions });
      if (this.#singularBytes + batch.length > maxRlpBytes) return false;
      this.#singular.push(batch);
      this.#singularBytes += batch.length;
    }
    this.#blocks++;
    return true;
  }

  /** Ends the channel; from now on it has frames. @throws CHANNEL_CLOSED when it has no blocks */
  close(): void {
    if (this.#blocks === 0) throw nodeError('CHANNEL_CLOSED', 'a channel without blocks says nothing');
    this.#closed ??= this.#compress();
  }

  /** The channel in frames of at most this size, overhead included. @throws CHANNEL_CLOSED when it is still open */
  frames(maxFrameSize: number): Frame[] {
    if (!this.#closed) throw nodeError('CHANNEL_CLOSED', 'close the channel before its frames are read');
    const size = Math.min(maxFrameSize - FRAME_OVERHEAD, MAX_FRAME_LEN);
    const count = Math.ceil(this.#closed.length / size);
    if (size < 1 || count > MAX_FRAME_NUMBER + 1) {
      throw nodeError('FRAME_MALFORMED', 'frames of this size are too small for the channel', { maxFrameSize, count });
    }
    return Array.from({ length: count }, (_, frameNumber) => ({
      channelId: this.id,
      frameNumber,
      data: this.#content.slice(frameNumber * size, (frameNumber + 1) * size),
      isLast: frameNumber === count - 1,
    }));
  }

  get #content(): Uint8Array {
    return this.#closed ?? new Uint8Array();
  }

  #compress(): Uint8Array {
    const { kind, compression, level } = this.#options;
    const content = kind === 'singular' ? Buffer.concat(this.#singular) : this.#span.encodeRlp();
    return compress(content, compression, level);
  }
}
