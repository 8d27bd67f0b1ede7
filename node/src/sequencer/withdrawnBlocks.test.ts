import type { LogEntry } from '@openledger/event-log';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { feedOf, kindsOf, sendDatanet, startOpenBlocks } from '../../test/support/openBlocks.ts';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { ana, bo, chi } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';

const code = (name: string) => expect.objectContaining({ code: name });

describe('the feed', () => {
  it('has each flashblock after its parent’s entry and before its own', async () => {
    const { chain, builder } = await startOpenBlocks();
    const feed = feedOf(chain);
    await builder.begin();
    await feed.settle();
    const hash = await sendDatanet(chain, 0, 'one');
    await builder.extend(100);
    await feed.settle();
    await builder.seal();
    await feed.settle();
    await chain.step();
    const entries = await feed.settle();
    expect(kindsOf(entries).slice(0, 4)).toEqual(['block', 'p1.0', 'p1.1', 'block']);
    expect(kindsOf(entries).at(-1)).toBe('block');
    const [, , flash, sealed] = entries;
    expect(flash).toMatchObject({ transactions: [hash], firstTxIndex: 1 });
    expect(sealed?.kind === 'block' && sealed.events).toEqual(flash?.kind === 'provisional' && flash.events);
    await feed.stop();
    const log: LogEntry[] = [];
    for await (const entry of chain.engine.eventLog.read(0)) log.push(entry);
    expect(log.map(({ kind }) => kind)).toEqual(['block', 'block', 'block']);
  });
});

describe('an open block that is overtaken', () => {
  it('by another head is withdrawn, and its transactions wait for the next', async () => {
    const { chain, builder } = await startOpenBlocks();
    const feed = feedOf(chain);
    await builder.begin();
    const hash = await sendDatanet(chain, 0, 'one');
    await builder.extend(100);
    await feed.settle();
    // Another block on the same parent, as derivation or a consensus client would insert it.
    const other = await TestChain.start({ genesis: chain.genesis, l1: chain.l1 });
    const rival = await other.execute(bo, { to: chi.address, value: 7n });
    const parent = await chain.engine.headBlock();
    const execution = await chain.engine.begin(parent.hash, {
      timestamp: rival.block.header.timestamp,
      gasLimit: rival.block.header.gasLimit,
      prevRandao: rival.block.header.mixHash,
      feeRecipient: rival.block.header.miner,
      extraData: rival.block.header.extraData,
      parentBeaconBlockRoot: rival.block.header.parentBeaconBlockRoot as Hex,
    });
    for (const tx of rival.block.transactions) await execution.apply(tx);
    await chain.engine.insert(await execution.seal());
    expect(chain.pending.block).toBeUndefined();
    await expect(builder.extend(100)).rejects.toEqual(code('HEAD_MOVED'));
    expect(chain.mempool.get(hash)).toBeDefined();
    const next = await chain.step();
    expect(next.header.parentHash).toBe(rival.block.hash);
    expect(signedHashes(next)).toEqual([hash]);
    expect(kindsOf(await feed.settle()).slice(0, 4)).toEqual(['block', 'p1.0', 'p1.1', 'block']);
    await feed.stop();
  });

  it('by a head that was set back is withdrawn, and said to be', async () => {
    const { chain, builder } = await startOpenBlocks();
    const [one] = await chain.steps(2);
    const feed = feedOf(chain);
    await builder.begin();
    const hash = await sendDatanet(chain, 0, 'one');
    await builder.extend(100);
    const told = (await feed.settle()).at(-1);
    await chain.engine.setUnsafeHead(one?.hash as Hex);
    await expect(builder.seal()).rejects.toEqual(code('HEAD_MOVED'));
    const entries = await feed.settle();
    expect(entries.slice(-2)).toMatchObject([
      { kind: 'revert' },
      { kind: 'withdrawn', payloadId: told?.kind === 'provisional' && told.payloadId, number: 3n },
    ]);
    expect(chain.engine.heads.unsafe.hash).toBe(one?.hash);
    const next = await chain.step();
    expect([next.header.parentHash, signedHashes(next)]).toEqual([one?.hash, [hash]]);
    await feed.stop();
  });

  it('by an L1 reorg under its origin is withdrawn, and the next is built on what stands', async () => {
    const { chain, builder } = await startOpenBlocks();
    const [kept] = await chain.steps(1);
    chain.l1.mine();
    const feed = feedOf(chain);
    await builder.begin();
    const hash = await chain.send(ana, { nonce: 0 });
    await builder.extend(100);
    await feed.settle();
    chain.l1.reorgTo(0n);
    chain.l1.mine();
    await expect(builder.seal()).rejects.toEqual(code('L1_REORG'));
    expect((await feed.settle()).at(-1)).toMatchObject({ kind: 'withdrawn', number: 2n });
    const next = await chain.sequencer.advance();
    expect([next.header.parentHash, signedHashes(next)]).toEqual([kept?.hash, [hash]]);
    await feed.stop();
  });

  it('is not held up by an L1 that does not answer when it is due', async () => {
    const { chain, builder } = await startOpenBlocks();
    await builder.begin();
    const hash = await chain.send(ana, { nonce: 0 });
    await builder.extend(100);
    chain.l1.failure = nodeError('L1_UNAVAILABLE', 'no answer');
    expect(signedHashes(await builder.seal())).toEqual([hash]);
  });

  it('never replaces a block that came while it was sealed', async () => {
    const { chain, builder } = await startOpenBlocks();
    await builder.begin();
    const parent = await chain.engine.headBlock();
    const execution = await chain.engine.begin(parent.hash, {
      ...{ timestamp: parent.header.timestamp + 2n, gasLimit: parent.header.gasLimit },
      ...{ prevRandao: parent.header.mixHash, feeRecipient: parent.header.miner, extraData: parent.header.extraData },
      parentBeaconBlockRoot: parent.header.parentHash,
    });
    const open = builder.open;
    for (const tx of chain.pending.block?.transactions ?? []) await execution.apply(tx);
    const sealed = await execution.seal();
    const [ours, rival] = await Promise.allSettled([builder.seal(), chain.engine.insert(sealed)]);
    expect(open).toBeDefined();
    expect(rival.status === 'fulfilled' && rival.value.hash).toBe(chain.engine.heads.unsafe.hash);
    expect(ours).toMatchObject({ status: 'rejected', reason: code('HEAD_MOVED') });
  });
});
