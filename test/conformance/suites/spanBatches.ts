import { join } from 'node:path';
import type { Hex } from 'viem';
import {
  ByteReader,
  concat,
  decodeRlp,
  encodeBits,
  type RlpBytes,
  rlpInteger,
  uvarint,
} from '../../../node/src/channels/bytes.ts';
import { decodeSpanBatch, encodeSpanBatch } from '../../../node/src/channels/spanBatch.ts';
import {
  decodeSpanTransactions,
  MAX_SPAN_BATCH_ELEMENT_COUNT,
  SpanColumns,
} from '../../../node/src/channels/spanTransactions.ts';
import { fromHex, toHex } from '../../../node/src/primitives/hex.ts';
import type { Case, Suite } from '../suite.ts';
import { expectEqual, expectRefused } from './support/expect.ts';
import { type FixtureFile, filesUnder } from './support/fixtureFiles.ts';

/** Where a vector doesn't say its chain, any does: the id is taken out of transactions and put back in. */
const ANY_CHAIN = 10;

const bytesOf = (file: FixtureFile): Uint8Array => fromHex(file.bytes.toString('utf8').trim() as Hex);

/** A whole span batch without its type byte. */
const wholeBatch = async (bytes: Uint8Array): Promise<void> => {
  const again = encodeSpanBatch(decodeSpanBatch(bytes, ANY_CHAIN), ANY_CHAIN).subarray(1);
  expectEqual(toHex(again), toHex(bytes), 'encoded again');
  await expectRefused(() => decodeSpanBatch(bytes.subarray(0, -1), ANY_CHAIN), 'a batch that is cut short');
};

/** All transaction columns. The batch around them, which says how many there are, is missing: one count fits. */
const transactionColumns = (bytes: Uint8Array): void => {
  for (let count = 1; count * 64 <= bytes.length; count++) {
    const reader = new ByteReader(bytes);
    try {
      const columns = new SpanColumns(ANY_CHAIN);
      for (const transaction of decodeSpanTransactions(reader, count, ANY_CHAIN)) columns.add(transaction);
      if (reader.remaining > 0) continue;
      expectEqual(toHex(columns.encode()), toHex(bytes), 'encoded again');
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'BATCH_MALFORMED')) throw error;
    }
  }
  throw new Error('no count of transactions fits the columns');
};

/** The chain that a transaction is signed for: its first field, or by EIP-155 part of a legacy one's v. */
const chainOf = (raw: Uint8Array): number => {
  const isLegacy = (raw[0] ?? 0) >= 0xc0;
  const fields = decodeRlp(isLegacy ? raw : raw.subarray(1)) as RlpBytes[];
  if (!isLegacy) return Number(rlpInteger(fields[0]));
  const v = rlpInteger(fields[6]);
  return v < 35n ? ANY_CHAIN : Number((v - 35n) / 2n);
};

/** Raw transactions, one a line, through the columns and back. */
const fullTransactions = (bytes: Buffer): void => {
  const transactions = bytes.toString('utf8').trim().split(/\s+/) as Hex[];
  const chainId = chainOf(fromHex(transactions[0] as Hex));
  const columns = new SpanColumns(chainId);
  for (const transaction of transactions) columns.add(transaction);
  const reader = new ByteReader(columns.encode());
  expectEqual(decodeSpanTransactions(reader, transactions.length, chainId), transactions, 'transactions');
  expectEqual(reader.remaining, 0, 'bytes left over');
};

/** Bits without a count: as many as the bytes hold. An empty one is op-node's way to write a zero. */
const bitlist = (bytes: Uint8Array): void => {
  const count = bytes.length * 8;
  const bit = new ByteReader(bytes).bits(count);
  expectEqual(toHex(encodeBits(Array.from({ length: count }, (_, index) => bit(index)))), toHex(bytes), 'bits');
};

const readAll = (bytes: Uint8Array, next: (reader: ByteReader) => Uint8Array): void => {
  const reader = new ByteReader(bytes);
  const items: Uint8Array[] = [];
  while (reader.remaining > 0) items.push(next(reader));
  expectEqual(toHex(concat(items)), toHex(bytes), 'items encoded again');
};

const typedData = (reader: ByteReader): Uint8Array => {
  const type = reader.peek() < 0x80 ? reader.take(1) : new Uint8Array();
  return concat([type, reader.rlpItem(MAX_SPAN_BATCH_ELEMENT_COUNT)]);
};

/** By what a file's name says it holds. */
const readers: readonly (readonly [RegExp, (file: FixtureFile) => void | Promise<void>])[] = [
  [/^fulltx/, ({ bytes }) => fullTransactions(bytes)],
  [/^spanbatchtxs/, (file) => transactionColumns(bytesOf(file))],
  [/^spanbatch/, (file) => wholeBatch(bytesOf(file))],
  [/(bits|yparity)\.txt$/, (file) => bitlist(bytesOf(file))],
  [/sigs\.txt$/, (file) => readAll(bytesOf(file), (reader) => reader.take(64))],
  [/^txtos/, (file) => readAll(bytesOf(file), (reader) => reader.take(20))],
  [/^txdatas/, (file) => readAll(bytesOf(file), typedData)],
  [/^tx(nonces|gases)/, (file) => readAll(bytesOf(file), (reader) => uvarint(reader.uvarint()))],
];

/** Span batches and their columns, decoded and encoded to the same bytes. */
export const spanBatches: Suite = {
  name: 'span-batches',
  cases: async (fixtures) => {
    const whole = filesUnder(join(fixtures, 'kona-derive'), '.bin')
      .filter(({ path }) => /span_batch/.test(path))
      .map((file): Case => ({ name: file.path, run: () => wholeBatch(new Uint8Array(file.bytes)) }));
    const columns = filesUnder(join(fixtures, 'hildr'), '.txt').flatMap((file): Case[] => {
      const run = readers.find(([name]) => name.test(file.path))?.[1];
      return run ? [{ name: file.path, run: () => run(file) }] : [];
    });
    const cases = [...whole, ...columns];
    return cases.length > 0 ? cases : undefined;
  },
};
