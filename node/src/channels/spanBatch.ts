import type { BlockId } from '@openledger/chain-config';
import { type Hex, slice } from 'viem';
import { fromHex, toHex } from '../primitives/hex.ts';
import { ByteReader, concat, encodeBits, encodeRlp, malformed, rlpStringBytes, uvarint } from './bytes.ts';
import type { ChannelBlock } from './channelOut.ts';
import { decodeSpanTransactions, MAX_SPAN_BATCH_ELEMENT_COUNT, SpanColumns } from './spanTransactions.ts';

/** Consecutive L2 blocks without what follows from one another (delta/span-batches.md, version 1). */
export type SpanBatch = {
  readonly type: 'span';
  /** Of the first block, since L2 genesis. */
  readonly relTimestamp: bigint;
  /** Of the last block. */
  readonly l1OriginNumber: bigint;
  /** First 20 bytes of the hash of the block before the first. */
  readonly parentCheck: Hex;
  /** First 20 bytes of the hash of the last block's L1 origin. */
  readonly l1OriginCheck: Hex;
  readonly blocks: readonly SpanBlock[];
};

export type SpanBlock = { readonly originChanged: boolean; readonly transactions: readonly Hex[] };

/** A block of a span with what follows from its place; its parent is whatever stands before it. */
export type SpanElement = {
  readonly epoch: BlockId;
  readonly timestamp: bigint;
  readonly transactions: readonly Hex[];
};

export const SPAN_BATCH_TYPE = 1;
const CHECK_BYTES = 20;
const MAX = MAX_SPAN_BATCH_ELEMENT_COUNT;

type Head = Omit<SpanBatch, 'type' | 'blocks'>;

const encodeColumns = (
  head: Head,
  blocks: { origins: readonly boolean[]; counts: readonly Uint8Array[]; columns: SpanColumns },
): Uint8Array =>
  concat([
    Uint8Array.of(SPAN_BATCH_TYPE),
    uvarint(head.relTimestamp),
    uvarint(head.l1OriginNumber),
    fromHex(head.parentCheck),
    fromHex(head.l1OriginCheck),
    uvarint(BigInt(blocks.origins.length)),
    encodeBits(blocks.origins),
    ...blocks.counts,
    blocks.columns.encode(),
  ]);

/** With its type byte. @throws BATCH_MALFORMED when a transaction can't be part of one */
export const encodeSpanBatch = (span: SpanBatch, chainId: number): Uint8Array => {
  const columns = new SpanColumns(chainId);
  for (const { transactions } of span.blocks) for (const transaction of transactions) columns.add(transaction);
  const origins = span.blocks.map(({ originChanged }) => originChanged);
  const counts = span.blocks.map(({ transactions }) => uvarint(BigInt(transactions.length)));
  return encodeColumns(span, { origins, counts, columns });
};

/** The content after the type byte. @throws BATCH_MALFORMED, BATCH_TRANSACTION_INVALID */
export const decodeSpanBatch = (content: Uint8Array, chainId: number): SpanBatch => {
  const reader = new ByteReader(content);
  const relTimestamp = reader.uvarint();
  const l1OriginNumber = reader.uvarint();
  const parentCheck = toHex(reader.take(CHECK_BYTES));
  const l1OriginCheck = toHex(reader.take(CHECK_BYTES));
  const blockCount = reader.count(MAX);
  if (blockCount === 0) throw malformed('a span batch without blocks');
  const originChanged = reader.bits(blockCount);
  const counts = Array.from({ length: blockCount }, () => reader.count(MAX));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > MAX) throw malformed(`${total} transactions, more than ${MAX}`);
  const transactions = decodeSpanTransactions(reader, total, chainId);
  let taken = 0;
  const blocks = counts.map((count, index) => {
    taken += count;
    return { originChanged: originChanged(index), transactions: transactions.slice(taken - count, taken) };
  });
  return { type: 'span', relTimestamp, l1OriginNumber, parentCheck, l1OriginCheck, blocks };
};

/** L1 origin numbers of a span's blocks, in order. The first may be below zero in a span that makes no sense. */
export const originNumbers = (span: SpanBatch): bigint[] => {
  const changes = span.blocks.filter(({ originChanged }) => originChanged).length;
  let number = span.l1OriginNumber - BigInt(changes);
  return span.blocks.map(({ originChanged }) => (originChanged ? ++number : number));
};

/**
 * What the span says block by block, of those after `after`. Undefined when an origin is none of `l1Origins`.
 * Times in seconds.
 */
export const deriveSingularBatches = (
  span: SpanBatch,
  options: { l1Origins: readonly BlockId[]; genesisTime: bigint; blockTime: bigint; after?: bigint },
): SpanElement[] | undefined => {
  const { l1Origins, genesisTime, blockTime, after = -1n } = options;
  const origins = new Map(l1Origins.map(({ number, hash }) => [number, { number, hash }]));
  const numbers = originNumbers(span);
  const elements: SpanElement[] = [];
  for (const [index, { transactions }] of span.blocks.entries()) {
    const timestamp = genesisTime + span.relTimestamp + BigInt(index) * blockTime;
    if (timestamp <= after) continue;
    const epoch = origins.get(numbers[index] ?? -1n);
    if (!epoch) return undefined;
    elements.push({ epoch, timestamp, transactions });
  }
  return elements;
};

/** Makes a span batch of blocks as they come, and knows its size all the while. */
export class SpanBatchBuilder {
  readonly #options: { chainId: number; genesisTime: bigint; blockTime: bigint };
  readonly #origins: boolean[] = [];
  readonly #counts: Uint8Array[] = [];
  readonly #columns: SpanColumns;
  #countBytes = 0;
  #first: ChannelBlock | undefined;
  #last: ChannelBlock | undefined;

  constructor(options: { chainId: number; genesisTime: bigint; blockTime: bigint }) {
    this.#options = options;
    this.#columns = new SpanColumns(options.chainId);
  }

  /** Size as the RLP string that a channel holds; 0 without blocks. */
  get rlpBytes(): number {
    return this.#first ? rlpStringBytes(this.#bytes) : 0;
  }

  /** Takes a block in unless the batch would be over `maxRlpBytes` or the element limit. @throws BATCH_MALFORMED */
  add(block: ChannelBlock, maxRlpBytes: number): boolean {
    this.#checkFollows(block);
    const added = new SpanColumns(this.#options.chainId);
    for (const transaction of block.transactions) added.add(transaction);
    const growth = added.byteLength + 14;
    const isFull = this.#columns.count + added.count > MAX || this.#origins.length >= MAX;
    if (isFull || rlpStringBytes(this.#bytes + growth) > maxRlpBytes) return false;
    this.#columns.append(added);
    this.#origins.push(block.sequenceNumber === 0n);
    const count = uvarint(BigInt(block.transactions.length));
    this.#counts.push(count);
    this.#countBytes += count.length;
    this.#first ??= block;
    this.#last = block;
    return true;
  }

  /** The batch with its type byte, as an RLP string. */
  encodeRlp(): Uint8Array {
    const [first, last] = [this.#first, this.#last];
    if (!first || !last) throw malformed('a span batch without blocks');
    const head: Head = {
      relTimestamp: first.timestamp - this.#options.genesisTime,
      l1OriginNumber: last.epoch.number,
      parentCheck: slice(first.parentHash, 0, CHECK_BYTES),
      l1OriginCheck: slice(last.epoch.hash, 0, CHECK_BYTES),
    };
    return encodeRlp(encodeColumns(head, { origins: this.#origins, counts: this.#counts, columns: this.#columns }));
  }

  get #bytes(): number {
    const [first, last] = [this.#first, this.#last];
    if (!first || !last) return 1 + 2 * CHECK_BYTES + 3 * 10;
    const head = [first.timestamp - this.#options.genesisTime, last.epoch.number, BigInt(this.#origins.length)];
    const varints = head.map(uvarint).reduce((sum, { length }) => sum + length, this.#countBytes);
    return 1 + 2 * CHECK_BYTES + varints + Math.ceil(this.#origins.length / 8) + this.#columns.byteLength;
  }

  #checkFollows(block: ChannelBlock): void {
    const last = this.#last;
    if (!last) return;
    const step = block.epoch.number - last.epoch.number;
    const advances = block.sequenceNumber === 0n ? 1n : 0n;
    if (block.timestamp !== last.timestamp + this.#options.blockTime || step !== advances) {
      throw malformed('the blocks of a span follow one another');
    }
  }
}
