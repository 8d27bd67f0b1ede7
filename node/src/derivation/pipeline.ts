import { type BlockId, isForkActive, type RollupConfig, type SystemConfig } from '@openledger/chain-config';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import type { Block } from '../primitives/block.ts';
import { AttributesQueue, type DerivedAttributes } from './attributesQueue.ts';
import { BatchQueue, type BatchStageLike } from './batchQueue.ts';
import { BatchStage } from './batchStage.ts';
import { ChannelAssembler } from './channelAssembler.ts';
import { ChannelBank, type ChannelStage } from './channelBank.ts';
import { ChannelInReader } from './channelInReader.ts';
import { Epochs } from './epochs.ts';
import { FrameQueue } from './frameQueue.ts';
import { L1Retrieval } from './l1Retrieval.ts';
import { L1Traversal } from './l1Traversal.ts';
import type { Pending, SafeChain } from './stage.ts';

/** Where the pipeline starts: on the L1 origin of an L2 block, to derive what comes after that block. */
export type PipelineStart = {
  readonly base: L1Block;
  /** As of `base`. */
  readonly systemConfig: SystemConfig;
  /** The last L1 block whose batches are derived already: `base` or later. */
  readonly derivedUpTo: BlockId;
};

/**
 * The stages, each pulling from the one before (specs/protocol/derivation.md, "L2 Chain Derivation Pipeline"):
 *
 *   L1Traversal       block after block, with the SystemConfig as of it
 *   L1Retrieval       its batcher transactions: calldata or blobs
 *   FrameQueue        frames
 *   ChannelBank       channels, since Holocene ChannelAssembler
 *   ChannelInReader   batches
 *   BatchQueue        the batch of the next block, since Holocene BatchStage; empty ones when the window is over
 *   AttributesQueue   deposits, L1 attributes and upgrades, then the batch's transactions
 *
 * When all are drained, `advance` moves to the next L1 block.
 */
export class DerivationPipeline {
  readonly #config: RollupConfig;
  readonly #safeChain: SafeChain;
  readonly #traversal: L1Traversal;
  readonly #retrieval: L1Retrieval;
  readonly #frames: FrameQueue;
  readonly #reader: ChannelInReader;
  readonly #attributes: AttributesQueue;
  readonly #epochs = new Epochs();
  #channels: ChannelStage;
  #batches: BatchStageLike;

  constructor(options: { config: RollupConfig; l1: L1Source; safeChain: SafeChain }) {
    const { config, l1 } = options;
    const origin = () => this.#traversal.origin;
    this.#config = config;
    this.#safeChain = options.safeChain;
    this.#traversal = new L1Traversal({ l1, config });
    this.#retrieval = new L1Retrieval({ traversal: this.#traversal, l1, config });
    this.#frames = new FrameQueue({ previous: this.#retrieval, origin, config });
    this.#reader = new ChannelInReader({ previous: () => this.#channels, origin, config });
    this.#attributes = new AttributesQueue({ previous: () => this.#batches, l1, config, origin });
    [this.#channels, this.#batches] = this.#stages(false);
  }

  /** The L1 block that is being derived from. */
  get origin(): L1Block {
    return this.#traversal.origin;
  }

  /** Whether nothing that was read so far can still matter: started anew from here, the pipeline goes on the same way. */
  get isClean(): boolean {
    return this.#channels.isClean && this.#batches.isClean;
  }

  reset({ base, systemConfig, derivedUpTo }: PipelineStart): void {
    this.#traversal.reset(base, systemConfig, derivedUpTo);
    this.#retrieval.reset(derivedUpTo.number + 1n);
    this.#epochs.reset(base);
    this.#attributes.reset();
    this.#discard(this.#isHolocene(base));
  }

  /** The attributes of the block after `parent`, as far as the L1 blocks up to `origin` say. */
  next(parent: Block): Promise<DerivedAttributes | Pending> {
    return this.#attributes.next(parent);
  }

  /** Moves on to the next L1 block, once `next` says that all is drained; false while L1 has none. */
  async advance(): Promise<boolean> {
    const before = this.#isHolocene(this.origin);
    if (!(await this.#traversal.advance())) return false;
    // What is half-way in the old stages is lost when the rules change (holocene/derivation.md, "Activation").
    if (!before && this.#isHolocene(this.origin)) this.#discard(true);
    return true;
  }

  /** Gives up the rest of the span and channel that the last attributes came from. */
  flush(): void {
    this.#batches.flush();
  }

  #discard(holocene: boolean): void {
    this.#frames.reset();
    this.#reader.flush();
    [this.#channels, this.#batches] = this.#stages(holocene);
  }

  #stages(holocene: boolean): [ChannelStage, BatchStageLike] {
    const config = this.#config;
    const origin = () => this.#traversal.origin;
    const channels = { previous: this.#frames, origin, config };
    const batches = { previous: this.#reader, epochs: this.#epochs, origin, safeChain: this.#safeChain, config };
    return holocene
      ? [new ChannelAssembler(channels), new BatchStage(batches)]
      : [new ChannelBank(channels), new BatchQueue(batches)];
  }

  #isHolocene({ timestamp }: L1Block): boolean {
    return isForkActive(this.#config.forks, 'holocene', timestamp);
  }
}
