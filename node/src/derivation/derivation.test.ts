import { encodeAbiParameters, type Hex, pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { framesOf, idOf, startRollup as start, stranger, twoFrames } from '../../test/support/rollup.ts';
import { type BatcherOptions, toChannelBlock } from '../../test/support/testBatcher.ts';
import { signedHashes } from '../../test/support/testChain.ts';
import { TestVerifier } from '../../test/support/testVerifier.ts';
import { ana, bo, signed } from '../../test/support/wallets.ts';
import { encodeBatcherTransaction } from '../channels/frame.ts';
import type { L1Log } from '../l1/l1Source.ts';
import { CONFIG_UPDATE_TOPIC } from '../l1/systemConfigUpdates.ts';
import type { Block } from '../primitives/block.ts';

describe('derivation makes the sequencer’s blocks of what the batcher sends', () => {
  it.each<[string, BatcherOptions]>([
    ['singular batches, zlib, calldata', { kind: 'singular', compression: 'zlib' }],
    ['singular batches, brotli, blobs', { kind: 'singular', compression: 'brotli', as: 'blobs' }],
    ['span batches, zlib, blobs', { kind: 'span', compression: 'zlib', as: 'blobs' }],
    ['span batches, brotli, calldata', { kind: 'span', compression: 'brotli' }],
    ['span batches in many frames', { kind: 'span', maxFrameSize: 60 }],
    ['singular batches in many frames, blobs', { kind: 'singular', maxFrameSize: 300, as: 'blobs' }],
  ])('%s', async (_name, options) => {
    const { batcher, verifier, blocks, safe, at } = await start();
    const made = await blocks(3);
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.submit(made, options);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[2]));
    batcher.submit(await blocks(2), options);
    await verifier.sync();
    expect(safe().number).toBe(5n);
    expect(verifier.engine.heads.unsafe).toEqual(safe());
    for (const { hash, header } of made) expect((await at(header.number))?.hash).toBe(hash);
  });

  it('of several channels in one L1 block and in one batcher transaction', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(4);
    const [a, b, c] = [made.slice(0, 1), made.slice(1, 3), made.slice(3)].map((part) => framesOf(batcher, part));
    batcher.mine([[...(a ?? []), ...(b ?? [])], c ?? []]);
    await verifier.sync();
    expect(safe().number).toBe(4n);
  });

  it('on the sequencer itself: its unsafe blocks become safe, and none is built again', async () => {
    const { l1, chain, batcher, blocks } = await start();
    const own = TestVerifier.on(chain.engine, l1, chain.db);
    const made = await blocks(3);
    batcher.submit(made.slice(0, 2));
    await own.sync();
    expect(chain.engine.heads).toMatchObject({ safe: idOf(made[1]), unsafe: idOf(made[2]) });
  });
});

describe('what is no batch is passed over', () => {
  it('garbage frames', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(2);
    const good = encodeBatcherTransaction(framesOf(batcher, made));
    const bad = [[], [0], [1, ...good.subarray(1)], good.subarray(0, -1), [...good, 1], good.with(19, 0xff)];
    batcher.mineData(bad.map((data) => Uint8Array.from(data)));
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.mineData([good]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[1]));
  });

  it('garbage channels', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(2);
    const [frame] = framesOf(batcher, made);
    if (!frame) throw new Error('no frame');
    const contents = [[1, 2, 3], [0x78, 0x9c, 0xff, 0xff], [], [2, ...frame.data], [...frame.data.subarray(0, 20)]];
    batcher.mine(
      contents.map((data) => [{ ...frame, channelId: `0x${'77'.repeat(16)}`, data: Uint8Array.from(data) }]),
    );
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.mine([[frame]]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[1]));
  });

  it('garbage blobs beside a good one, and the calldata of blob transactions', async () => {
    const { l1, batcher, verifier, blocks, safe } = await start();
    const made = await blocks(1);
    const { transactions, blobs } = batcher.transaction(encodeBatcherTransaction(framesOf(batcher, made)), {
      as: 'blobs',
    });
    const [[hash, blob] = ['0x' as Hex, new Uint8Array()]] = [...(blobs ?? [])];
    const bad: Hex = `0x01${'aa'.repeat(31)}`;
    const [transaction] = transactions;
    l1.mine([], {
      transactions: [{ ...transaction, blobVersionedHashes: [bad, hash] }],
      blobs: new Map([
        [bad, blob.with(0, 0xff)],
        [hash, blob],
      ]),
    });
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[0]));
  });

  it('wrong batcher address, wrong inbox, set-code transactions', async () => {
    const { l1, batcher, verifier, blocks, safe } = await start();
    const made = await blocks(1);
    const data = encodeBatcherTransaction(framesOf(batcher, made));
    const {
      transactions: [good],
    } = batcher.transaction(data);
    l1.mine([], {
      transactions: [
        { ...good, from: stranger },
        { ...good, to: stranger },
        { ...good, to: null },
        { ...good, type: 4 },
      ],
    });
    await verifier.sync();
    expect(safe().number).toBe(0n);
    l1.mine([], { transactions: [{ ...good, type: 0 }] });
    await verifier.sync();
    expect(safe().number).toBe(1n);
  });
});

describe('the batcher’s address', () => {
  it('changes with SystemConfig, in the L1 block that says so', async () => {
    const { l1, chain, batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(1);
    const log: L1Log = {
      address: chain.engine.config.l1SystemConfigAddress,
      topics: [CONFIG_UPDATE_TOPIC, pad('0x00', { size: 32 }), pad('0x00', { size: 32 })],
      data: encodeAbiParameters([{ type: 'bytes' }], [pad(stranger, { size: 32 })]),
      logIndex: 0n,
    };
    const data = encodeBatcherTransaction(framesOf(batcher, made));
    l1.mine([], { ...batcher.transaction(data), logs: [log] });
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.mineData([data]);
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.mineData([data], { from: stranger });
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[0]));
    await expectSameAsFresh();
  });
});

describe('frames', () => {
  it('duplicate frames and channels change nothing', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(3);
    const [first, second] = twoFrames(batcher, made);
    batcher.mine([[first], [first], [second], [second], [first, second]]);
    batcher.mine([[first, first, second, second]]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[2]));
  });

  it('out of order are dropped since Holocene', async () => {
    const { batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(3);
    const [first, second] = twoFrames(batcher, made);
    batcher.mine([[second], [first]]);
    await verifier.sync();
    expect(safe().number).toBe(0n);
    batcher.mine([[second]]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[2]));
    await expectSameAsFresh();
  });

  it('of a new channel take the place of one that is not complete', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(3);
    const [first, second] = twoFrames(batcher, made);
    batcher.mine([[first], framesOf(batcher, made.slice(0, 1)), [second]]);
    await verifier.sync();
    expect(safe().number).toBe(1n);
  });

  it.each([
    [50, 3n],
    [51, 0n],
  ])('channel timeout: the last frame %i L1 blocks after the first', async (distance, expected) => {
    const { batcher, verifier, blocks, mineEmpty, safe, expectSameAsFresh } = await start();
    const [first, second] = twoFrames(batcher, await blocks(3));
    batcher.mine([[first]]);
    mineEmpty(distance - 1);
    batcher.mine([[second]]);
    await verifier.sync();
    expect(safe().number).toBe(expected);
    await expectSameAsFresh();
  });
});

describe('batches', () => {
  it('sequence window expired: epochs without batches get empty blocks, and late batches are dropped', async () => {
    const { chain, batcher, verifier, blocks, mineEmpty, safe, at, expectSameAsFresh } = await start({
      sequencerWindowSize: 4n,
    });
    const made = await blocks(3);
    mineEmpty(2);
    await verifier.sync();
    expect(safe().number).toBe(1n);
    batcher.submit(made);
    await verifier.sync();
    expect(safe().number).toBeGreaterThanOrEqual(2n);
    mineEmpty(3);
    await verifier.sync();
    expect(safe().number).toBeGreaterThan(4n);
    for (let number = 1n; number <= safe().number; number++) {
      const block = await at(number);
      expect(block?.transactions.every(({ kind }) => kind === 'deposit')).toBe(true);
      expect(block?.hash).not.toBe(made[Number(number) - 1]?.hash);
    }
    const deposits = (await at(1n))?.transactions.length;
    expect(deposits).toBe(2);
    await expectSameAsFresh();
    expect(chain.engine.heads.safe.number).toBe(0n);
  });

  it('bad transaction in a batch: its block has the deposits only, and the rest of the channel is gone', async () => {
    const { batcher, verifier, blocks, safe, at, expectSameAsFresh } = await start();
    const made = await blocks(4);
    const bad = await signed(ana, { nonce: 77, to: bo.address });
    const spoiled = made
      .map(toChannelBlock)
      .map((block, index) => (index === 1 ? { ...block, transactions: [bad] } : block));
    batcher.mine([batcher.frames(spoiled), framesOf(batcher, made.slice(2))]);
    await verifier.sync();
    expect(safe().number).toBe(2n);
    expect(signedHashes((await at(1n)) as Block)).toHaveLength(1);
    expect((await at(2n))?.transactions.map(({ kind }) => kind)).toEqual(['deposit', 'deposit']);
    await expectSameAsFresh();
  });

  it.each([
    ['malformed', '0x02c0' as Hex],
    ['a deposit', '0x7e00' as Hex],
    ['of no bytes', '0x' as Hex],
    ['of an unknown type', '0x05c0' as Hex],
  ])('a singular batch with a transaction that is %s', async (what, transaction) => {
    const { batcher, verifier, blocks, safe, at, expectSameAsFresh } = await start();
    const made = await blocks(3);
    const spoiled = made.map(toChannelBlock);
    spoiled[1] = { ...toChannelBlock(made[1] as Block), transactions: [transaction] };
    batcher.mine([batcher.frames(spoiled, { kind: 'singular' })]);
    await verifier.sync();
    expect(safe().number).toBe(what === 'malformed' ? 2n : 1n);
    if (what === 'malformed') expect(signedHashes((await at(2n)) as Block)).toEqual([]);
    await expectSameAsFresh();
    // What was dropped may be said again, rightly.
    batcher.submit(made);
    await verifier.sync();
    expect(safe().number).toBe(3n);
    await expectSameAsFresh();
  });

  it('span batch atomicity: since Holocene what comes before the invalid block stands', async () => {
    const { batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(4);
    const spoiled = made.map(toChannelBlock).map((block, index) => ({
      ...block,
      transactions: index === 2 ? [...block.transactions, ...block.transactions] : block.transactions,
    }));
    batcher.mine([batcher.frames(spoiled)]);
    await verifier.sync();
    expect(safe().number).toBe(3n);
    expect(await verifier.engine.chain.hashByNumber(2n)).toBe(made[1]?.hash);
    expect(await verifier.engine.chain.hashByNumber(3n)).not.toBe(made[2]?.hash);
    await expectSameAsFresh();
  });

  it('restarted after such a block, it does not take up what was dropped', async () => {
    const { l1, chain, batcher, verifier, blocks, mineEmpty, safe } = await start();
    const made = (await blocks(4)).map(toChannelBlock);
    const spoiled = made.map((block, index) =>
      index === 1 ? { ...block, transactions: [...block.transactions, ...block.transactions] } : block,
    );
    batcher.mine([batcher.frames(spoiled)]);
    await verifier.sync();
    expect(safe().number).toBe(2n);
    const restarted = await TestVerifier.start(l1, chain.genesis, verifier.db);
    mineEmpty(2);
    await restarted.sync();
    expect(restarted.engine.heads.safe).toEqual(safe());
  });

  it('overlapping span batches add what is new, and those of the past nothing', async () => {
    const { batcher, verifier, blocks, safe, expectSameAsFresh } = await start();
    const made = await blocks(6);
    batcher.submit(made.slice(0, 3));
    batcher.submit(made.slice(1, 5));
    batcher.submit(made.slice(0, 2));
    batcher.mine([[...framesOf(batcher, made.slice(2, 4)), ...framesOf(batcher, made.slice(3, 6))]]);
    await verifier.sync();
    expect(safe()).toEqual(idOf(made[5]));
    await expectSameAsFresh();
  });

  it('with a gap are dropped with their channel', async () => {
    const { batcher, verifier, blocks, safe } = await start();
    const made = await blocks(3);
    batcher.submit(made.slice(1));
    batcher.submit(made.slice(0, 1));
    await verifier.sync();
    expect(safe().number).toBe(1n);
  });
});
