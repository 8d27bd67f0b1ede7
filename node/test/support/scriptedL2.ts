import { type BlockId, devnet, type RollupConfig } from '@openledger/chain-config';
import { type Address, type Hex, hexToBytes, keccak256, numberToHex } from 'viem';
import type { BatchableBlock, BatchSource } from '../../src/batcher/batchSource.ts';
import { readBatches } from '../../src/channels/batch.ts';
import { decodeBlob } from '../../src/channels/blobCodec.ts';
import { Channel } from '../../src/channels/channel.ts';
import { decompressChannel } from '../../src/channels/compression.ts';
import { parseFrames } from '../../src/channels/frame.ts';
import { lower, signed, wallet } from './wallets.ts';

const sender = wallet('l2 sender');
const hashOf = (number: bigint, fork: number): Hex =>
  keccak256(numberToHex(number * 100n + BigInt(fork), { size: 32 }));

/** A devnet whose batches come from this account. */
export const batcherConfig = (batcher: Address): RollupConfig => ({
  ...devnet,
  blockTime: 1n,
  genesis: {
    l1: { number: 0n, hash: keccak256('0x01') },
    l2: { number: 0n, hash: keccak256('0x02') },
    l2Time: 1_700_000_000n,
    systemConfig: { ...devnet.systemConfig, batcherAddress: batcher },
  },
  depositContractAddress: batcher,
  l1SystemConfigAddress: batcher,
});

/** Signing takes longest, and every test starts with the same transactions. */
const made = new Map<string, Promise<Hex>>();

const makeTransaction = (nonce: number, bytes: number): Promise<Hex> => {
  let data: Hex = '0x';
  for (let i = 0; data.length < 2 + 2 * bytes; i++)
    data += keccak256(numberToHex(nonce * 1_000_000 + i, { size: 8 })).slice(2);
  return signed(sender, { nonce, data: data.slice(0, 2 + 2 * bytes) as Hex, gas: 5_000_000n });
};

export type InboxTx = { readonly to: Hex; readonly data: Hex; readonly blobs: readonly Uint8Array[] };

/** An L2 chain as a batcher sees it: blocks come from `grow`, the safe head from what `derive` reads in the inbox. */
export class ScriptedL2 implements BatchSource {
  readonly config: RollupConfig;
  blocks: BatchableBlock[] = [];
  safe: BlockId;
  /** What `derivedL1` answers. */
  l1Read: bigint | undefined;
  #nonce = 0;
  #fork = 0;

  constructor(config: RollupConfig) {
    this.config = config;
    const { l2, l1, l2Time } = config.genesis;
    this.blocks.push({
      ...l2,
      parentHash: l2.hash,
      timestamp: l2Time,
      epoch: l1,
      sequenceNumber: 0n,
      transactions: [],
    });
    this.safe = l2;
  }

  async heads() {
    const { hash, number } = this.#head;
    return { safe: this.safe, unsafe: { hash, number } };
  }

  async blockByNumber(number: bigint) {
    return this.blocks[Number(number)];
  }

  async derivedL1() {
    return this.l1Read;
  }

  /** Blocks with so many transactions each, of so many bytes that don't compress. */
  async grow(count: number, { transactions = 1, bytes = 100, epoch }: GrowOptions = {}): Promise<void> {
    for (let i = 0; i < count; i++) {
      const parent = this.#head;
      const raws: Hex[] = [];
      for (let t = 0; t < transactions; t++) raws.push(await this.#transaction(bytes));
      const number = parent.number + 1n;
      this.blocks.push({
        number,
        hash: hashOf(number, this.#fork),
        parentHash: parent.hash,
        timestamp: parent.timestamp + this.config.blockTime,
        epoch: epoch ?? parent.epoch,
        sequenceNumber: epoch && epoch.number !== parent.epoch.number ? 0n : parent.sequenceNumber + 1n,
        transactions: raws,
      });
    }
  }

  /** Another chain from this block on. */
  reorgTo(number: bigint): void {
    this.blocks = this.blocks.slice(0, Number(number) + 1);
    this.#fork++;
  }

  /**
   * The safe head after these inbox transactions, by Holocene's rules: one channel at a time, frames in order, batches in order.
   * Batches that continue the safe chain must be our blocks'; older and foreign ones are passed over.
   */
  derive(transactions: readonly InboxTx[]): void {
    let staging: Channel | undefined;
    this.safe = this.config.genesis.l2;
    for (const frame of transactions.flatMap((tx) => this.#framesOf(tx))) {
      if (frame.frameNumber === 0) staging = new Channel(frame.channelId, 0n);
      if (staging?.id !== frame.channelId || frame.frameNumber !== staging.frameCount) continue;
      staging.add(frame);
      if (!staging.isReady) continue;
      this.#readChannel(staging.data());
      staging = undefined;
    }
  }

  #framesOf({ to, data, blobs }: InboxTx) {
    if (to !== lower(this.config.batchInboxAddress)) return [];
    const payloads = blobs.length > 0 ? blobs.map(decodeBlob) : [hexToBytes(data)];
    return payloads.flatMap(parseFrames);
  }

  #readChannel(data: Uint8Array): void {
    const content = decompressChannel(data, { maxRlpBytes: 100_000_000, brotli: true });
    const { l2Time } = this.config.genesis;
    for (const batch of readBatches(content, this.config.l2ChainId)) {
      const first = batch.type === 'span' ? batch.relTimestamp : batch.timestamp - l2Time;
      const lists = batch.type === 'span' ? batch.blocks.map((block) => block.transactions) : [batch.transactions];
      const parent = batch.type === 'span' ? batch.parentCheck : batch.parentHash;
      for (const [index, list] of lists.entries()) {
        const number = first / this.config.blockTime + BigInt(index);
        const block = this.blocks[Number(number)];
        if (!block || number !== this.safe.number + 1n) continue;
        if (index === 0 && !this.safe.hash.startsWith(parent)) return;
        if (list.join() !== block.transactions.join()) return;
        this.safe = { number, hash: block.hash };
      }
    }
  }

  #transaction(bytes: number): Promise<Hex> {
    const nonce = this.#nonce++;
    const key = `${nonce} ${bytes}`;
    const known = made.get(key) ?? makeTransaction(nonce, bytes);
    made.set(key, known);
    return known;
  }

  get #head(): BatchableBlock {
    const head = this.blocks.at(-1);
    if (!head) throw new RangeError('no blocks');
    return head;
  }
}

type GrowOptions = { transactions?: number; bytes?: number; epoch?: BlockId };
