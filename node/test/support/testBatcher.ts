import type { RollupConfig } from '@openledger/chain-config';
import { type Address, type Hex, keccak256, numberToHex } from 'viem';
import { encodeBlob } from '../../src/channels/blobCodec.ts';
import { type ChannelBlock, ChannelOut, type ChannelOutOptions } from '../../src/channels/channelOut.ts';
import { encodeBatcherTransaction, type Frame } from '../../src/channels/frame.ts';
import type { L1Block, L1Transaction } from '../../src/l1/l1Source.ts';
import type { Block } from '../../src/primitives/block.ts';
import { toHex } from '../../src/primitives/hex.ts';
import type { Deposit, L1Extras, ScriptedL1 } from './scriptedL1.ts';

export type BatcherOptions = Partial<Pick<ChannelOutOptions, 'kind' | 'compression'>> & {
  as?: 'calldata' | 'blobs';
  maxFrameSize?: number;
  from?: Address;
};

export const toChannelBlock = (block: Block): ChannelBlock => ({
  parentHash: block.header.parentHash,
  timestamp: block.header.timestamp,
  epoch: block.l1Origin,
  sequenceNumber: block.sequenceNumber,
  transactions: block.transactions.flatMap(({ kind, raw }) => (kind === 'signed' ? [raw] : [])),
});

/** Puts L2 blocks on a scripted L1, correctly or as the test says. */
export class TestBatcher {
  readonly #l1: ScriptedL1;
  readonly #config: RollupConfig;
  #channels = 0;
  #transactions = 0;

  constructor(l1: ScriptedL1, config: RollupConfig) {
    this.#l1 = l1;
    this.#config = config;
  }

  /** A channel with these blocks, in frames. */
  frames(blocks: readonly ChannelBlock[], options: BatcherOptions = {}): Frame[] {
    const { kind = 'span', compression = 'zlib', maxFrameSize = 100_000 } = options;
    const { l2ChainId: chainId, genesis, blockTime } = this.#config;
    const id = numberToHex(++this.#channels, { size: 16 });
    const given = { kind, compression, chainId, genesisTime: genesis.l2Time, blockTime, maxRlpBytes: 10_000_000 };
    const out = new ChannelOut({ ...given, id, level: 1 });
    for (const block of blocks) if (!out.add(block)) throw new RangeError('the channel is full');
    out.close();
    return out.frames(maxFrameSize);
  }

  /** A batcher transaction of whatever data. */
  transaction(data: Uint8Array, options: BatcherOptions = {}): L1Extras & { transactions: [L1Transaction] } {
    const { as = 'calldata', from = this.#config.genesis.systemConfig.batcherAddress } = options;
    const hash = keccak256(numberToHex(++this.#transactions, { size: 32 }));
    const base = { hash, from, to: this.#config.batchInboxAddress };
    if (as === 'calldata') {
      return { transactions: [{ ...base, type: 2, input: toHex(data), blobVersionedHashes: [] }] };
    }
    const versionedHash: Hex = `0x01${keccak256(data).slice(4)}`;
    return {
      transactions: [{ ...base, type: 3, input: '0x1234', blobVersionedHashes: [versionedHash] }],
      blobs: new Map([[versionedHash, encodeBlob(data)]]),
    };
  }

  /** One L1 block with one batcher transaction for each list of frames. */
  mine(lists: readonly (readonly Frame[])[], options: BatcherOptions = {}, deposits: readonly Deposit[] = []): L1Block {
    return this.mineData(lists.map(encodeBatcherTransaction), options, deposits);
  }

  mineData(datas: readonly Uint8Array[], options: BatcherOptions = {}, deposits: readonly Deposit[] = []): L1Block {
    const made = datas.map((data) => this.transaction(data, options));
    return this.#l1.mine(deposits, {
      transactions: made.flatMap(({ transactions }) => transactions),
      blobs: new Map(made.flatMap(({ blobs }) => [...(blobs ?? [])])),
    });
  }

  /** Everything at once: these blocks in one channel in one L1 block, each frame in a transaction. */
  submit(blocks: readonly Block[], options: BatcherOptions = {}): L1Block {
    const frames = this.frames(blocks.map(toChannelBlock), options);
    return this.mine(
      frames.map((frame) => [frame]),
      options,
    );
  }
}
