import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { bytesToHex, type Hex, hexToBytes, numberToHex, toHex as textToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Batch, encodeBatch, readBatches } from './batch.ts';
import { decodeBlob, encodeBlob, MAX_BLOB_DATA_BYTES } from './blobCodec.ts';
import { concat } from './bytes.ts';
import { Channel } from './channel.ts';
import { type ChannelBlock, ChannelOut } from './channelOut.ts';
import { compress, decompressChannel } from './compression.ts';
import { encodeBatcherTransaction, type Frame, parseFrames } from './frame.ts';
import { decodeSpanBatch, deriveSingularBatches, encodeSpanBatch } from './spanBatch.ts';

const fixtures = new URL('../../../../shared/fixtures/hildr/', import.meta.url).pathname;
const CHAIN_ID = 16120;
const LIMIT = 100_000_000;
const malformed = (code: string) => expect.objectContaining({ code, handling: 'reject' });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const hash = (byte: number): Hex => `0x${numberToHex(byte, { size: 1 }).slice(2).repeat(32)}`;

describe('frames', () => {
  const frame = fc.record({
    channelId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToHex),
    frameNumber: fc.nat(0xffff),
    data: bytes(50),
    isLast: fc.boolean(),
  });
  it('survive a batcher transaction', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), (frames) => {
        expect(parseFrames(encodeBatcherTransaction(frames))).toEqual(frames);
      }),
    );
  });
  it('are refused all together when one is malformed', () => {
    const good = encodeBatcherTransaction([
      { channelId: `0x${'01'.repeat(16)}`, frameNumber: 0, data: Uint8Array.of(1, 2), isLast: true },
    ]);
    const huge = good.with(19, 0xff);
    const bad = [
      [],
      [0],
      [1, ...good.subarray(1)],
      good.subarray(0, -1),
      [...good, 0],
      good.with(good.length - 1, 2),
      huge,
    ];
    for (const data of bad) expect(() => parseFrames(Uint8Array.from(data))).toThrow(malformed('FRAME_MALFORMED'));
  });
});

describe('blobs of rollup data', () => {
  it('hold any data of their size', () => {
    fc.assert(
      fc.property(bytes(2_000), (data) => {
        expect(decodeBlob(encodeBlob(data))).toEqual(data);
      }),
      { numRuns: 30 },
    );
    const full = Uint8Array.from({ length: MAX_BLOB_DATA_BYTES }, (_, index) => (index * 31) & 0xff);
    expect(decodeBlob(encodeBlob(full))).toEqual(full);
    expect(() => encodeBlob(new Uint8Array(MAX_BLOB_DATA_BYTES + 1))).toThrow(malformed('BLOB_MALFORMED'));
  });
  it.each([
    ['a field element over 254 bits', (blob: Uint8Array) => blob.with(32, 0x40)],
    ['another version', (blob: Uint8Array) => blob.with(1, 1)],
    ['a length over its size', (blob: Uint8Array) => blob.with(2, 0xff)],
    ['something behind the data', (blob: Uint8Array) => blob.with(500, 1)],
    ['another size', (blob: Uint8Array) => blob.subarray(1)],
  ])('are refused with %s', (_what, change) => {
    expect(() => decodeBlob(change(encodeBlob(Uint8Array.of(1, 2, 3))))).toThrow(malformed('BLOB_MALFORMED'));
  });
  it.skipIf(!existsSync(fixtures))('decode to what others put into them', () => {
    const read = (name: string) => {
      const blob = hexToBytes(readFileSync(`${fixtures}${name}.txt`, 'utf8').trim() as Hex);
      const data = decodeBlob(blob);
      expect(encodeBlob(data)).toEqual(blob);
      return Buffer.from(data).toString();
    };
    expect(read('blob1')).toBe('this is a test of blob encoding/decoding');
    expect(read('blob2')).toBe('short');
    for (const name of ['blob3', 'blob4', 'blob5']) read(name);
  });
});

describe('channels', () => {
  const frame = (frameNumber: number, isLast = false, size = 1): Frame => ({
    channelId: `0x${'01'.repeat(16)}`,
    frameNumber,
    data: new Uint8Array(size).fill(frameNumber),
    isLast,
  });
  it('are put together from frames in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        const channel = new Channel(frame(0).channelId, 7n);
        for (const [taken, number] of order.entries()) {
          expect(channel.isReady).toBe(false);
          expect(channel.add(frame(number, number === 4))).toBe(true);
          expect(channel.size).toBe((taken + 1) * 201);
        }
        expect(channel.isReady).toBe(true);
        expect(channel.data()).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
      }),
    );
  });
  it('refuse duplicates, second ends and what is beyond the end, and prune it', () => {
    const channel = new Channel(frame(0).channelId, 7n);
    expect(channel.add(frame(5))).toBe(true);
    expect(channel.add(frame(1))).toBe(true);
    expect(channel.add(frame(1))).toBe(false);
    expect(channel.add(frame(2, true))).toBe(true);
    expect(channel.size).toBe(2 * 201);
    expect(channel.add(frame(0, true))).toBe(false);
    expect(channel.add(frame(3))).toBe(false);
    expect(channel.add(frame(0))).toBe(true);
    expect(channel.isReady).toBe(true);
  });
  it('time out by L1 blocks', () => {
    const channel = new Channel(frame(0).channelId, 7n);
    expect([channel.isTimedOut(57n, 50n), channel.isTimedOut(58n, 50n)]).toEqual([false, true]);
  });
});

describe('compression', () => {
  const kinds = ['zlib', 'brotli'] as const;
  it('gives any data back', () => {
    fc.assert(
      fc.property(bytes(500), fc.constantFrom(...kinds), (data, kind) => {
        const options = { maxRlpBytes: LIMIT, brotli: true };
        expect(decompressChannel(compress(data, kind), options)).toEqual(data);
      }),
    );
  });
  it.each(kinds)('%s: stops at the limit, and bombs do not go off', (kind) => {
    const bomb = compress(new Uint8Array(60_000_000), kind, 1);
    expect(decompressChannel(bomb, { maxRlpBytes: 1_000_000, brotli: true }).length).toBe(1_000_000);
  });
  it('keeps what comes before the damage', () => {
    const data = Uint8Array.from({ length: 20_000 }, (_, index) => (index * index) % 251);
    const good = compress(data, 'zlib', 1);
    for (const bad of [good.subarray(0, -200), concat([good.subarray(0, -200), new Uint8Array(200).fill(0xff)])]) {
      const kept = decompressChannel(bad, { maxRlpBytes: LIMIT, brotli: true });
      expect(kept.length).toBeGreaterThan(0);
      expect(data.subarray(0, kept.length)).toEqual(kept);
    }
    expect(decompressChannel(good.with(good.length - 1, 0), { maxRlpBytes: LIMIT, brotli: false })).toEqual(data);
  });
  it('knows nothing but zlib, and brotli since Fjord', () => {
    const brotli = compress(Uint8Array.of(1, 2, 3), 'brotli');
    const none = [
      [brotli, false],
      [brotli.with(0, 2), true],
      [new Uint8Array(), true],
    ] as const;
    for (const [data, allowed] of none) {
      expect(decompressChannel(data, { maxRlpBytes: LIMIT, brotli: allowed })).toEqual(new Uint8Array());
    }
  });
});

describe('batches', () => {
  const account = privateKeyToAccount(hash(7));
  let transactions: Hex[];
  beforeAll(async () => {
    const to = account.address;
    const common = { chainId: CHAIN_ID, gas: 21_000n, value: 10n ** 18n };
    const accessList = [{ address: to, storageKeys: [hash(1), hash(2)] }];
    const authorization = await account.signAuthorization({ address: to, chainId: CHAIN_ID, nonce: 3 });
    const unprotected = { type: 'legacy', gas: 21_000n, gasPrice: 1n, nonce: 1, to } as const;
    transactions = await Promise.all([
      account.signTransaction({ ...common, type: 'legacy', nonce: 0, to, gasPrice: 5n }),
      account.signTransaction(unprotected),
      account.signTransaction({ ...common, type: 'legacy', nonce: 300, gasPrice: 0n, data: '0x600035' }),
      account.signTransaction({ ...common, type: 'eip2930', nonce: 2, to, gasPrice: 5n, accessList }),
      account.signTransaction({ ...common, type: 'eip1559', nonce: 3, to, maxFeePerGas: 9n, data: '0x01' }),
      account.signTransaction({ ...common, type: 'eip1559', nonce: 4, maxFeePerGas: 9n, data: '0x6000', accessList }),
      account.signTransaction({
        ...common,
        type: 'eip7702',
        nonce: 5,
        to,
        maxFeePerGas: 9n,
        authorizationList: [authorization],
      }),
    ]);
  });

  const content = () => fc.array(fc.shuffledSubarray(transactions, { maxLength: 4 }), { minLength: 1, maxLength: 6 });
  const blocksOf = (lists: readonly (readonly Hex[])[], advances: readonly boolean[] = []): ChannelBlock[] => {
    let number = 10;
    return lists.map((list, index) => {
      const advance = index > 0 && advances[index] === true;
      if (advance) number++;
      return {
        parentHash: hash(100 + index),
        timestamp: 1_000n + BigInt(index) * 2n,
        epoch: { number: BigInt(number), hash: hash(number) },
        sequenceNumber: advance ? 0n : 5n,
        transactions: list,
      };
    });
  };
  const channelOf = (
    blocks: readonly ChannelBlock[],
    given: Partial<ConstructorParameters<typeof ChannelOut>[0]> = {},
  ) => {
    const out = new ChannelOut({
      kind: 'span',
      compression: 'zlib',
      chainId: CHAIN_ID,
      genesisTime: 900n,
      blockTime: 2n,
      maxRlpBytes: LIMIT,
      ...given,
    });
    for (const block of blocks) expect(out.add(block)).toBe(true);
    return out;
  };
  const read = (out: ChannelOut, maxFrameSize: number): Batch[] => {
    const frames = out.frames(maxFrameSize).flatMap((frame) => parseFrames(encodeBatcherTransaction([frame])));
    const channel = new Channel(out.id, 0n);
    for (const frame of frames) channel.add(frame);
    expect(channel.isReady).toBe(true);
    expect(channel.data().length).toBe(out.compressedBytes);
    const data = decompressChannel(channel.data(), { maxRlpBytes: LIMIT, brotli: true });
    expect(data.length).toBe(out.inputBytes);
    return [...readBatches(data, CHAIN_ID)];
  };

  it('say of blocks what the batcher put in, in either form and compression', () => {
    fc.assert(
      fc.property(
        content(),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.constantFrom('singular' as const, 'span' as const),
        fc.constantFrom('zlib' as const, 'brotli' as const),
        fc.integer({ min: 24, max: 2_000 }),
        (lists, advances, kind, compression, maxFrameSize) => {
          const blocks = blocksOf(lists, advances);
          const out = channelOf(blocks, { kind, compression });
          out.close();
          const batches = read(out, maxFrameSize);
          const l1Origins = blocks.map(({ epoch }) => epoch);
          const elements = batches.flatMap((batch) =>
            batch.type === 'singular'
              ? [batch]
              : (deriveSingularBatches(batch, { l1Origins, genesisTime: 900n, blockTime: 2n }) ?? []),
          );
          expect(
            elements.map(({ epoch, timestamp, transactions: list }) => ({ epoch, timestamp, transactions: list })),
          ).toEqual(
            blocks.map(({ epoch, timestamp, transactions: list }) => ({ epoch, timestamp, transactions: list })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never make the decoder do anything but refuse, whatever the bytes are', () => {
    const span = encodeSpanBatch(
      {
        type: 'span',
        relTimestamp: 100n,
        l1OriginNumber: 10n,
        parentCheck: hash(1).slice(0, 42) as Hex,
        l1OriginCheck: hash(2).slice(0, 42) as Hex,
        blocks: [{ originChanged: true, transactions }],
      },
      CHAIN_ID,
    ).subarray(1);
    const refused = expect.stringMatching(/^BATCH_(MALFORMED|TRANSACTION_INVALID)$/);
    const attempt = (data: Uint8Array) => {
      try {
        const again = encodeSpanBatch(decodeSpanBatch(data, CHAIN_ID), CHAIN_ID);
        expect(again.length).toBeGreaterThan(0);
      } catch (error) {
        expect((error as { code: string }).code).toEqual(refused);
      }
    };
    fc.assert(fc.property(bytes(300), attempt), { numRuns: 300 });
    const flip = fc.tuple(fc.nat(span.length - 1), fc.nat(255));
    fc.assert(
      fc.property(flip, ([index, value]) => attempt(span.with(index, value))),
      { numRuns: 300 },
    );
  });

  it('are read up to the first malformed one', () => {
    const [batch] = blocksOf([transactions]);
    if (!batch) throw new Error('no block');
    const good = encodeBatch({ type: 'singular', ...batch });
    const valid: Batch = {
      type: 'singular',
      parentHash: batch.parentHash,
      epoch: batch.epoch,
      timestamp: batch.timestamp,
      transactions,
    };
    const unknown = Uint8Array.of(0x82, 2, 0);
    const list = Uint8Array.of(0xc1, 0x80);
    for (const bad of [unknown, list, good.subarray(0, -1), Uint8Array.of(0x80), Uint8Array.of(0xb7)]) {
      expect([...readBatches(concat([good, bad, good]), CHAIN_ID)][0]).toEqual(valid);
      expect([...readBatches(concat([good, bad]), CHAIN_ID)]).toEqual([valid]);
    }
    expect([...readBatches(concat([good, good]), CHAIN_ID)]).toEqual([valid, valid]);
  });

  it('leave a channel unchanged that is too full for a block', () => {
    for (const kind of ['singular', 'span'] as const) {
      const [first, second] = blocksOf([transactions.slice(0, 2), transactions]);
      if (!first || !second) throw new Error('no blocks');
      const out = channelOf([first], { kind, maxRlpBytes: 900 });
      const { inputBytes } = out;
      expect(out.add(second)).toBe(false);
      expect([out.inputBytes, out.blockCount]).toEqual([inputBytes, 1]);
      out.close();
      expect(() => out.add(second)).toThrow(malformed('CHANNEL_CLOSED'));
      expect(read(out, 100)).toHaveLength(1);
    }
  });

  it('of a span follow one another, are signed for this chain, and are no deposits', async () => {
    const [first, second] = blocksOf([[], []]);
    if (!first || !second) throw new Error('no blocks');
    const out = channelOf([first]);
    const alien = await account.signTransaction({
      type: 'eip1559',
      chainId: 1,
      nonce: 0,
      gas: 21_000n,
      to: account.address,
    });
    const bad: ChannelBlock[] = [
      { ...second, timestamp: 1_003n },
      { ...second, epoch: { number: 12n, hash: hash(12) } },
      { ...second, sequenceNumber: 0n },
      { ...second, transactions: [alien] },
      { ...second, transactions: [textToHex('garbage')] },
      { ...second, transactions: ['0x7e01'] },
    ];
    for (const block of bad) expect(() => out.add(block)).toThrow(malformed('BATCH_MALFORMED'));
    expect(out.add(second)).toBe(true);
  });
});
