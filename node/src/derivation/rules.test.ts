import {
  allForksAtGenesis,
  channelTimeout,
  devnet,
  type ForkSchedule,
  maxChannelBankSize,
  maxRlpBytesPerChannel,
  maxSequencerDrift,
  type RollupConfig,
} from '@openledger/chain-config';
import { type Hex, numberToHex, slice, zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { systemConfig } from '../../test/support/testGenesis.ts';
import type { Frame } from '../channels/frame.ts';
import type { SingularBatch } from '../channels/singularBatch.ts';
import type { SpanBatch } from '../channels/spanBatch.ts';
import type { L1Block } from '../l1/l1Source.ts';
import type { Block } from '../primitives/block.ts';
import { ChannelAssembler } from './channelAssembler.ts';
import { ChannelBank } from './channelBank.ts';
import { type BatchValidity, checkSingularBatch } from './checkBatch.ts';
import { checkSpanBatch, checkSpanBatchPrefix } from './checkSpanBatch.ts';
import { Epochs } from './epochs.ts';
import { inOrder } from './frameQueue.ts';

import type { L2Parent, Pending } from './stage.ts';

const { granite: _granite, holocene: _holocene, ...early } = allForksAtGenesis;
const hash = (n: number): Hex => `0x${numberToHex(n, { size: 2 }).slice(2).repeat(16)}`;
const l1At = (number: number, timestamp = BigInt(number) * 12n): L1Block => ({
  number: BigInt(number),
  hash: hash(1_000 + number),
  parentHash: hash(999 + number),
  timestamp,
  baseFee: 1n,
  blobBaseFee: 1n,
  prevRandao: hash(0),
  parentBeaconBlockRoot: hash(0),
});
const configOf = (forks: ForkSchedule, given: Partial<RollupConfig> = {}): RollupConfig => ({
  ...devnet,
  forks,
  blockTime: 2n,
  maxSequencerDrift: 600n,
  channelTimeout: 4n,
  sequencerWindowSize: 10n,
  genesis: { l1: { hash: hash(1_000), number: 0n }, l2: { hash: hash(0), number: 0n }, l2Time: 0n, systemConfig },
  batchInboxAddress: zeroAddress,
  depositContractAddress: zeroAddress,
  l1SystemConfigAddress: zeroAddress,
  ...given,
});
const holocene = configOf(allForksAtGenesis);
const beforeHolocene = configOf(early);

/** L2 block 60 at 120 s, the first of L1 block 10. */
const parent: L2Parent = { hash: hash(60), number: 60n, timestamp: 120n, l1Origin: { number: 10n, hash: hash(1_010) } };
const batchOf = (given: Partial<SingularBatch> = {}): SingularBatch => ({
  type: 'singular',
  parentHash: parent.hash,
  epoch: { number: 10n, hash: hash(1_010) },
  timestamp: 122n,
  transactions: ['0x02aa'],
  ...given,
});
const epochs = [l1At(10), l1At(11), l1At(12)];

describe('a batch for one block', () => {
  const check = (
    batch: Partial<SingularBatch>,
    config = holocene,
    blocks = epochs,
    on = parent,
    inclusion = l1At(12),
  ) => checkSingularBatch(batchOf(batch), { config, epochs: blocks, parent: on, inclusion });
  const epoch = (number: number) => ({ epoch: { number: BigInt(number), hash: hash(1_000 + number) } });

  it.each<[string, Partial<SingularBatch>, BatchValidity]>([
    ['the next block', {}, 'accept'],
    ['another parent', { parentHash: hash(1) }, 'drop'],
    ['an L1 block too far', epoch(12), 'drop'],
    ['an L1 block that is passed', epoch(9), 'drop'],
    ['an L1 block of another chain', { epoch: { number: 10n, hash: hash(1) } }, 'drop'],
    ['the next L1 block, which is younger', epoch(11), 'drop'],
    ['no transactions', { transactions: [] }, 'accept'],
    ['a legacy transaction', { transactions: ['0xc0'] }, 'accept'],
    ['a set-code transaction', { transactions: ['0x04c0'] }, 'accept'],
    ['a deposit', { transactions: ['0x02', '0x7e'] }, 'drop'],
    ['an empty transaction', { transactions: ['0x'] }, 'drop'],
    ['a blob transaction', { transactions: ['0x03'] }, 'drop'],
    ['a transaction of a future type', { transactions: ['0x05'] }, 'drop'],
  ])('that has %s', (_what, batch, validity) => {
    expect(check(batch)).toBe(validity);
  });
  it('of another time waits before Holocene, and is of the past or dropped since', () => {
    expect([check({ timestamp: 124n }, beforeHolocene), check({ timestamp: 120n }, beforeHolocene)]).toEqual([
      'future',
      'drop',
    ]);
    expect([check({ timestamp: 124n }), check({ timestamp: 120n })]).toEqual(['drop', 'past']);
  });
  it('is dropped when its sequencing window is over', () => {
    expect(check({}, holocene, epochs, parent, l1At(20))).toBe('accept');
    expect(check({}, holocene, epochs, parent, l1At(21))).toBe('drop');
  });
  it('waits for the L1 block that it moves to', () => {
    expect(check(epoch(11), holocene, epochs.slice(0, 1))).toBe('undecided');
    const later = { ...parent, timestamp: 130n };
    expect(check({ ...epoch(11), timestamp: 132n }, holocene, epochs, later)).toBe('accept');
  });
  it.each<[string, Partial<SingularBatch>, readonly L1Block[], BatchValidity]>([
    ['with transactions', {}, epochs, 'drop'],
    ['empty, and the next L1 block could be its origin', { transactions: [] }, epochs, 'drop'],
    ['empty, and the next L1 block is younger', { transactions: [] }, [l1At(10), l1At(11, 5_000n)], 'accept'],
    ['empty, and the next L1 block is unknown', { transactions: [] }, [l1At(10)], 'undecided'],
    ['empty, on the next L1 block', { transactions: [], ...epoch(11) }, [l1At(10), l1At(11)], 'accept'],
  ])('past the sequencer drift: %s', (_what, batch, blocks, validity) => {
    const far = { ...parent, timestamp: 120n + 1_900n };
    expect(check({ timestamp: far.timestamp + 2n, ...batch }, holocene, blocks as L1Block[], far)).toBe(validity);
  });
  it('has no transactions in Jovian’s first block, and none of type 4 before Isthmus', () => {
    const jovian = configOf({ ...allForksAtGenesis, jovian: 122n });
    expect([check({}, jovian), check({ transactions: [] }, jovian)]).toEqual(['drop', 'accept']);
    expect(check({ transactions: ['0x04'] }, configOf({ ...allForksAtGenesis, isthmus: 123n }))).toBe('drop');
  });
});

describe('a span batch', () => {
  const span = (given: Partial<SpanBatch> = {}): SpanBatch => ({
    type: 'span',
    relTimestamp: 122n,
    l1OriginNumber: 10n,
    parentCheck: slice(parent.hash, 0, 20),
    l1OriginCheck: slice(hash(1_010), 0, 20),
    blocks: [
      { originChanged: false, transactions: ['0x02aa'] },
      { originChanged: false, transactions: [] },
    ],
    ...given,
  });
  /** Blocks 58 to 60 of the safe chain, each with one transaction. */
  const safeChain = {
    blockByNumber: async (number: bigint) =>
      number < 58n
        ? undefined
        : ({
            hash: hash(Number(number)),
            header: { number, timestamp: number * 2n },
            l1Origin: { number: number === 58n ? 9n : 10n, hash: hash(1_010) },
            transactions: [
              { kind: 'deposit', raw: '0x7e' },
              { kind: 'signed', raw: '0x02bb' },
            ],
          } as unknown as Block),
  };
  const context = (config: RollupConfig, inclusion = l1At(12)) => ({ config, epochs, parent, inclusion, safeChain });
  const before = (given: Partial<SpanBatch>, inclusion?: L1Block) =>
    checkSpanBatch(span(given), context(beforeHolocene, inclusion));
  const since = async (given: Partial<SpanBatch>, inclusion?: L1Block) =>
    (await checkSpanBatchPrefix(span(given), context(holocene, inclusion))).validity;
  /** Block 60 again, then a new one. */
  const overlap = (transactions: Hex[], given: Partial<SpanBatch> = {}) => ({
    relTimestamp: 120n,
    parentCheck: slice(hash(59), 0, 20),
    blocks: [
      { originChanged: false, transactions },
      { originChanged: false, transactions: [] },
    ],
    ...given,
  });

  it.each<[string, Partial<SpanBatch>, BatchValidity, BatchValidity]>([
    ['of the next blocks', {}, 'accept', 'accept'],
    ['of later blocks', { relTimestamp: 124n }, 'future', 'drop'],
    ['of blocks that are there', { relTimestamp: 118n }, 'drop', 'past'],
    ['between two blocks', { relTimestamp: 121n }, 'drop', 'drop'],
    ['on another parent', { parentCheck: slice(hash(1), 0, 20) }, 'drop', 'drop'],
    ['of another L1', { l1OriginCheck: slice(hash(1), 0, 20) }, 'drop', 'drop'],
    [
      'that ends on an L1 block not read yet',
      { l1OriginNumber: 13n, blocks: [1, 1, 1].map(() => ({ originChanged: true, transactions: [] })) },
      'undecided',
      'undecided',
    ],
    [
      'that starts on an L1 block too far',
      { l1OriginNumber: 12n, l1OriginCheck: slice(hash(1_012), 0, 20) },
      'drop',
      'drop',
    ],
    [
      'that starts on an L1 block that is passed',
      {
        blocks: [
          { originChanged: false, transactions: [] },
          { originChanged: true, transactions: [] },
        ],
      },
      'drop',
      'drop',
    ],
    ['that overlaps, with the same transactions', overlap(['0x02bb']), 'accept', 'accept'],
    ['that overlaps, with other transactions', overlap(['0x02cc']), 'drop', 'accept'],
    ['that overlaps, with fewer transactions', overlap([]), 'drop', 'accept'],
    ['with a deposit', { blocks: [{ originChanged: false, transactions: ['0x7e'] }] }, 'drop', 'accept'],
    [
      'that starts before the chain known',
      { relTimestamp: 100n, blocks: Array.from({ length: 12 }, () => ({ originChanged: false, transactions: [] })) },
      'drop',
      'drop',
    ],
  ])('%s', async (_what, given, early_, late) => {
    expect([await before(given), await since(given)]).toEqual([early_, late]);
  });
  it('is dropped whole when its window is over', async () => {
    expect([await before({}, l1At(21)), await since({}, l1At(21))]).toEqual(['drop', 'drop']);
  });
  it('is dropped before Delta', async () => {
    const config = configOf({ ...early, delta: 1_000n });
    expect(await checkSpanBatch(span(), context(config))).toBe('drop');
  });
  it('is dropped when a block is older than its L1 origin', async () => {
    const blocks = [{ originChanged: true, transactions: [] }];
    expect(await before({ blocks, l1OriginNumber: 11n, l1OriginCheck: slice(hash(1_011), 0, 20) })).toBe('drop');
  });
});

describe('empty batches', () => {
  it('fill the epochs whose window is over, at least one each, never older than their L1 block', () => {
    const all = new Epochs();
    all.reset(l1At(10));
    for (let number = 11; number < 20; number++) all.extend(l1At(number));
    expect(all.forcedBatch(parent, holocene)).toBeUndefined();
    all.extend(l1At(20));
    expect(all.forcedBatch(parent, holocene)).toMatchObject({
      epoch: { number: 10n },
      timestamp: 122n,
      transactions: [],
    });
    const last = { ...parent, timestamp: 130n };
    expect(all.forcedBatch(last, holocene)).toBeUndefined();
    expect(all.blocks[0]?.number).toBe(11n);
    expect(all.fits(last)).toBe(true);
    all.extend(l1At(21));
    expect(all.forcedBatch({ ...last, timestamp: 170n }, holocene)).toMatchObject({
      epoch: { number: 11n },
      timestamp: 172n,
    });
  });
});

describe('parameters', () => {
  it('change with Fjord and Granite', () => {
    const config = configOf({ ...allForksAtGenesis, fjord: 100n, granite: 200n }, { channelTimeout: 300n });
    expect([99n, 100n].map((time) => maxSequencerDrift(config, time))).toEqual([600n, 1_800n]);
    expect([99n, 100n].map((time) => maxRlpBytesPerChannel(config, time))).toEqual([10_000_000, 100_000_000]);
    expect([99n, 100n].map((time) => maxChannelBankSize(config, time))).toEqual([100_000_000, 1_000_000_000]);
    expect([199n, 200n].map((time) => channelTimeout(config, time))).toEqual([300n, 50n]);
  });
});

const frame = (channel: number, frameNumber: number, isLast = false, size = 1): Frame => ({
  channelId: numberToHex(channel, { size: 16 }),
  frameNumber,
  data: new Uint8Array(size).fill(channel * 16 + frameNumber),
  isLast,
});

describe('frames in a batcher transaction since Holocene', () => {
  const names = (frames: readonly Frame[]) =>
    frames.map(({ channelId, frameNumber }) => `${Number(channelId)}.${frameNumber}`);
  it.each<[string, Frame[], string[]]>([
    ['in order stay', [frame(1, 0), frame(1, 1, true), frame(2, 0)], ['1.0', '1.1', '2.0']],
    ['of a channel that goes on stay', [frame(1, 5), frame(1, 6)], ['1.5', '1.6']],
    ['with a gap lose what follows it', [frame(1, 0), frame(1, 2), frame(1, 3, true)], ['1.0']],
    ['after the end are dropped', [frame(1, 0, true), frame(1, 1)], ['1.0']],
    ['that start a channel push out an open one', [frame(1, 0), frame(1, 1), frame(2, 0)], ['2.0']],
    ['that start a channel leave closed ones', [frame(1, 0, true), frame(2, 0), frame(3, 0, true)], ['1.0', '3.0']],
    ['of another channel’s middle are dropped', [frame(1, 0), frame(2, 1), frame(1, 1, true)], ['1.0', '1.1']],
  ])('%s', (_what, frames, kept) => {
    expect(names(inOrder(frames))).toEqual(kept);
  });
});

describe('channels', () => {
  const stageOf = (kind: 'bank' | 'assembler', forks: ForkSchedule = early) => {
    let origin = l1At(100);
    let frames: Frame[] = [];
    const previous = { nextFrame: async (): Promise<Frame | Pending> => frames.shift() ?? 'end-of-source' };
    const options = { previous, origin: () => origin, config: configOf(forks) };
    const stage = kind === 'bank' ? new ChannelBank(options) : new ChannelAssembler(options);
    /** The channels that these frames, in this L1 block, complete: by their first byte. */
    const read = async (number: number, ...given: Frame[]): Promise<number[]> => {
      origin = l1At(number);
      frames = given;
      const done: number[] = [];
      for (;;) {
        const next = await stage.nextChannel();
        if (next === 'end-of-source') return done;
        if (next !== 'not-enough-data') done.push((next[0] ?? 0) >> 4);
      }
    };
    return { stage, read };
  };

  it('frames out of order and interleaved are put together before Holocene', async () => {
    const { stage, read } = stageOf('bank');
    expect(await read(100, frame(1, 1, true), frame(2, 0), frame(3, 0, true))).toEqual([3]);
    expect(stage.isClean).toBe(false);
    expect(await read(101, frame(2, 1, true), frame(1, 0))).toEqual([2, 1]);
    expect(stage.isClean).toBe(true);
  });
  it('before Canyon the oldest blocks the others', async () => {
    const { read } = stageOf('bank', { ...early, canyon: 1_000_000n });
    expect(await read(100, frame(1, 0), frame(2, 0, true))).toEqual([]);
    expect(await read(101, frame(1, 1, true))).toEqual([1, 2]);
  });
  it.each(['bank', 'assembler'] as const)('%s: times out', async (kind) => {
    const { stage, read } = stageOf(kind);
    await read(100, frame(1, 0));
    expect(await read(104, frame(1, 1, true))).toEqual([1]);
    await read(104, frame(2, 0));
    expect(await read(109)).toEqual([]);
    expect(stage.isClean).toBe(true);
    expect(await read(109, frame(2, 1, true))).toEqual([]);
  });
  it('the bank prunes the oldest when it is too big', async () => {
    const { read } = stageOf('bank', { ...early, fjord: 1_000_000n });
    const size = 1_000_000;
    for (let number = 0; number < 99; number++) await read(100, frame(1, number, false, size));
    await read(100, frame(2, 0, false, size));
    expect(await read(100, frame(1, 99, true))).toEqual([]);
    expect(await read(100, frame(2, 1, true))).toEqual([2]);
  });
  it('the assembler takes one channel, in order', async () => {
    const { read } = stageOf('assembler', allForksAtGenesis);
    expect(await read(100, frame(1, 1, true), frame(1, 0), frame(1, 2), frame(1, 1, true))).toEqual([1]);
    expect(await read(101, frame(1, 0), frame(2, 0), frame(1, 1, true), frame(2, 1, true))).toEqual([2]);
  });
  it('the assembler drops a channel over its size', async () => {
    const { stage, read } = stageOf('assembler', { ...allForksAtGenesis, fjord: 1_000_000n });
    for (let number = 0; number < 10; number++) await read(100, frame(1, number, false, 1_000_000));
    expect(stage.isClean).toBe(true);
    expect(await read(100, frame(1, 10, true))).toEqual([]);
  });
});
