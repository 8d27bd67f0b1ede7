import type { RollupConfig } from '@openledger/chain-config';
import { maxRlpBytesPerChannel } from '@openledger/chain-config';
import { size } from 'viem';
import { ChannelOut } from '../channels/channelOut.ts';
import { nodeError } from '../errors.ts';
import type { L1Fees } from '../l1/l1Sender.ts';
import type { BatcherOptions } from './batcherOptions.ts';
import type { BatchableBlock } from './batchSource.ts';
import type { ClosedChannel } from './closedChannel.ts';
import { chooseData, maxFrameSize, targetBytes } from './dataCost.ts';

/** Why a channel was closed; label of the metric `channel_closed_reason`. */
export type CloseReason = 'target_size' | 'rlp_limit' | 'max_duration' | 'sequencing_window' | 'flush';

/** The channel that blocks are put into, and the rules by which it ends. L1 numbers are of L1 heads. */
export class ChannelBuilder {
  readonly #out: ChannelOut;
  readonly #config: RollupConfig;
  readonly #options: BatcherOptions;
  readonly #openedAt: bigint;
  readonly #target: number;
  readonly #first: BatchableBlock;
  #last: BatchableBlock;
  #transactions = 0;
  #rawBytes = 0;
  #fullReason: CloseReason = 'target_size';

  /** Opened for a first block; the fees decide which size is aimed at. @throws BLOCK_INVALID when no channel holds the block */
  constructor(first: BatchableBlock, l1Head: bigint, fees: L1Fees, config: RollupConfig, options: BatcherOptions) {
    this.#config = config;
    this.#options = options;
    this.#openedAt = l1Head;
    this.#target = targetBytes(chooseData(targetBytes('blobs', options), fees, options), options);
    this.#out = new ChannelOut({
      kind: options.batchKind,
      compression: options.compression,
      chainId: config.l2ChainId,
      genesisTime: config.genesis.l2Time,
      blockTime: config.blockTime,
      maxRlpBytes: maxRlpBytesPerChannel(config, first.timestamp),
    });
    this.#first = first;
    this.#last = first;
    if (!this.add(first)) throw nodeError('BLOCK_INVALID', 'no channel holds this block', { number: first.number });
  }

  /** Number of its first block. */
  get first(): bigint {
    return this.#first.number;
  }

  /** Why `add` said no. */
  get fullReason(): CloseReason {
    return this.#fullReason;
  }

  /** False when the channel is full without the block. */
  add(block: BatchableBlock): boolean {
    const bytes = block.transactions.reduce((sum, raw) => sum + size(raw), 0);
    const isEmpty = this.#out.blockCount === 0;
    if (!isEmpty && this.#out.compressedBytes + bytes * this.#ratio > this.#target) {
      this.#fullReason = 'target_size';
      return false;
    }
    if (!this.#out.add(block)) {
      this.#fullReason = 'rlp_limit';
      return false;
    }
    this.#last = block;
    this.#transactions += block.transactions.length;
    this.#rawBytes += bytes;
    return true;
  }

  /** Why it has to be closed at this L1 head, if it has to. */
  closeReason(l1Head: bigint): CloseReason | undefined {
    const { maxChannelDuration, safetyMargin } = this.#options;
    if (this.#out.compressedBytes >= this.#target) return 'target_size';
    if (l1Head + safetyMargin >= this.#first.epoch.number + this.#config.sequencerWindowSize)
      return 'sequencing_window';
    return l1Head >= this.#openedAt + maxChannelDuration ? 'max_duration' : undefined;
  }

  close(sequence: number, fees: L1Fees): ClosedChannel {
    this.#out.close();
    const kind = chooseData(this.#out.compressedBytes, fees, this.#options);
    return {
      id: this.#out.id,
      sequence,
      kind,
      first: this.#first.number,
      last: { number: this.#last.number, hash: this.#last.hash },
      l2Transactions: this.#transactions,
      inputBytes: this.#rawBytes,
      compressedBytes: this.#out.compressedBytes,
      frames: this.#out.frames(maxFrameSize(kind, this.#options)).map(({ data }) => data),
      framesPerTx: kind === 'blobs' ? this.#options.blobsPerTx : 1,
    };
  }

  /** Compressed by uncompressed bytes, as far as this channel tells. */
  get #ratio(): number {
    return this.#out.inputBytes === 0 ? 1 : this.#out.compressedBytes / this.#out.inputBytes;
  }
}
