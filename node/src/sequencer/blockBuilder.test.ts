import { predeploys } from '@openledger/chain-config';
import { datanetsAbi } from '@openledger/contracts';
import type { FeedEntry, LogEntry } from '@openledger/event-log';
import fc from 'fast-check';
import { encodeFunctionData, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { ana, bo, chi, GWEI, lower, OPEN, signed } from '../../test/support/wallets.ts';
import { nodeError } from '../errors.ts';
import { decodeEvents } from '../events/decodeEvents.ts';
import type { Flashblock } from '../pending/flashblock.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const stranger = `0x${'5a'.repeat(20)}` as const;
const createDatanet = (name: string): Hex =>
  encodeFunctionData({ abi: datanetsAbi, functionName: 'createDatanet', args: [name, 0, 'text'] });
const sendDatanet = (chain: TestChain, nonce: number, name: string) =>
  chain.send(ana, { nonce, to: predeploys.datanets, data: createDatanet(name), gas: 1_000_000n });

const start = async (options: Parameters<typeof TestChain.start>[0] = {}) => {
  const chain = await TestChain.start(options);
  const flashblocks: Flashblock[] = [];
  chain.pending.onFlashblock((flashblock) => flashblocks.push(flashblock));
  return { chain, builder: chain.sequencer.builder, flashblocks };
};
const added = ({ block, from }: Flashblock): Hex[] => block.transactions.slice(from).map(({ hash }) => hash);
const kindsOf = (entries: readonly FeedEntry[]) =>
  entries.map((entry) => (entry.kind === 'provisional' ? `p${entry.number}.${entry.index}` : `${entry.kind}`));

/** What the feed tells, taken as far as it goes without waiting. */
const feedOf = (chain: TestChain) => {
  const abort = new AbortController();
  const entries: FeedEntry[] = [];
  const done = (async () => {
    for await (const entry of chain.engine.eventLog.followProvisional(0, { signal: abort.signal })) entries.push(entry);
  })();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return entries;
  };
  const stop = () => {
    abort.abort();
    return done;
  };
  return { settle, stop };
};

describe('an open block', () => {
  it('begins with its deposits, and grows by what came into the pool, a flashblock at a time', async () => {
    const { chain, builder, flashblocks } = await start();
    chain.l1.mine([{ from: stranger, to: lower(bo.address), mint: 1n }]);
    await builder.begin();
    expect(flashblocks.map(({ index, block }) => [index, block.transactions.length])).toEqual([[0, 2]]);
    const first = await sendDatanet(chain, 0, 'one');
    await builder.extend(100);
    const second = await sendDatanet(chain, 1, 'two');
    const third = await chain.send(bo, { nonce: 0 });
    await builder.extend(100);
    expect(flashblocks.slice(1).map(added)).toEqual([[first], [second, third]]);
    const block = await builder.seal();
    expect(signedHashes(block)).toEqual([first, second, third]);
    expect(chain.engine.heads.unsafe.hash).toBe(block.hash);
    expect(new Set(flashblocks.map(({ payloadId }) => payloadId)).size).toBe(1);
  });

  it('tells events with the places that they have in the sealed block', async () => {
    const { chain, builder, flashblocks } = await start();
    await builder.begin();
    await sendDatanet(chain, 0, 'one');
    await builder.extend(100);
    await sendDatanet(chain, 1, 'two');
    await builder.extend(100);
    const { hash } = await builder.seal();
    const entry = await chain.engine.eventLog.entryOf(hash);
    const block = await chain.engine.headBlock();
    expect(entry?.events).toEqual(decodeEvents(block));
    expect(flashblocks.flatMap(({ events }) => events)).toEqual(entry?.events);
    expect(entry?.events.length).toBeGreaterThanOrEqual(2);
  });

  it('publishes nothing for an interval in which nothing came', async () => {
    const { builder, flashblocks } = await start();
    await builder.begin();
    await builder.extend(100);
    await builder.extend(100);
    expect(flashblocks.map(({ index }) => index)).toEqual([0]);
    await builder.seal();
  });

  it('is the same block, hash for hash, as one that is built at once', async () => {
    const one = await start();
    const two = await start();
    const hashes = [];
    await one.builder.begin();
    for (let nonce = 0; nonce < 4; nonce++) {
      hashes.push(await sendDatanet(one.chain, nonce, `n${nonce}`));
      await one.builder.extend(100);
    }
    for (let nonce = 0; nonce < 4; nonce++) await sendDatanet(two.chain, nonce, `n${nonce}`);
    const [inParts, atOnce] = [await one.builder.seal(), await two.chain.step()];
    expect(inParts.hash).toBe(atOnce.hash);
    expect(signedHashes(inParts)).toEqual(hashes);
  });

  it('keeps the order of what was preconfirmed, whatever pays better later', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.record({ who: fc.nat({ max: 2 }), tip: fc.nat({ max: 9 }) }), { maxLength: 4 }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (intervals) => {
          const { chain, builder, flashblocks } = await start();
          const nonces = [0, 0, 0];
          await builder.begin();
          for (const interval of intervals) {
            for (const { who, tip } of interval) {
              const account = [ana, bo, chi][who] ?? ana;
              const nonce = nonces[who] ?? 0;
              nonces[who] = nonce + 1;
              await chain.send(account, { nonce, tip: BigInt(tip) * GWEI, fee: 20n * GWEI });
            }
            await builder.extend(1_000);
          }
          const block = await builder.seal();
          expect(block.transactions.map(({ hash }) => hash)).toEqual(flashblocks.flatMap(added));
          expect(signedHashes(block)).toHaveLength(intervals.flat().length);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('stops at its budget and goes on in the next interval', async () => {
    const { chain, builder, flashblocks } = await start();
    for (let nonce = 0; nonce < 3; nonce++) await chain.send(ana, { nonce });
    await builder.begin();
    await builder.extend(0);
    expect(flashblocks).toHaveLength(1);
    await builder.extend(1_000);
    expect(flashblocks[1] && added(flashblocks[1])).toHaveLength(3);
    await builder.seal();
  });

  it('publishes what is done when there is more than an interval can execute, and loses none of the rest', async () => {
    const { chain, builder, flashblocks } = await start();
    const count = 200;
    for (let nonce = 0; nonce < count; nonce++) await chain.send(ana, { nonce });
    await builder.begin();
    await builder.extend(15);
    const done = flashblocks[1] ? added(flashblocks[1]).length : 0;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(count);
    await builder.extend(60_000);
    expect(signedHashes(await builder.seal())).toHaveLength(count);
  });

  it('takes the next L1 origin from one block to the next', async () => {
    const { chain, builder } = await start();
    await builder.begin();
    chain.l1.mine([{ from: stranger, to: lower(bo.address), mint: 1n }]);
    await builder.extend(100);
    const first = await builder.seal();
    await builder.begin();
    const second = await builder.seal();
    expect([first, second].map((b) => [b.l1Origin.number, b.transactions.length])).toEqual([
      [0n, 1],
      [1n, 2],
    ]);
  });

  it('drops what can never be included only when it is sealed', async () => {
    const { chain, builder } = await start();
    const dear = await chain.balance(ana.address);
    await chain.send(ana, { nonce: 0, value: dear - OPEN, fee: 20n * GWEI, tip: 9n * GWEI });
    const doomed = await chain.send(ana, { nonce: 1, value: OPEN / 2n, tip: GWEI });
    chain.l1.fees = { baseFee: 3n * 10n ** 17n, blobBaseFee: 1n };
    chain.l1.mine();
    await builder.begin();
    await builder.extend(100);
    expect(chain.mempool.get(doomed)).toBeDefined();
    await builder.extend(100);
    await builder.seal();
    expect(chain.mempool.get(doomed)).toBeUndefined();
  });
});

describe('the feed', () => {
  it('has each flashblock after its parent’s entry and before its own', async () => {
    const { chain, builder } = await start();
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
    const { chain, builder } = await start();
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
    const { chain, builder } = await start();
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
    const { chain, builder } = await start();
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
    const { chain, builder } = await start();
    await builder.begin();
    const hash = await chain.send(ana, { nonce: 0 });
    await builder.extend(100);
    chain.l1.failure = nodeError('L1_UNAVAILABLE', 'no answer');
    expect(signedHashes(await builder.seal())).toEqual([hash]);
  });

  it('never replaces a block that came while it was sealed', async () => {
    const { chain, builder } = await start();
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

describe('a raw transaction', () => {
  it('takes the place of one that waits, and of none that is preconfirmed', async () => {
    const { chain, builder } = await start();
    await builder.begin();
    const promised = await chain.send(ana, { nonce: 0 });
    const waiting = await chain.send(ana, { nonce: 2 });
    await builder.extend(100);
    const dearer = { fee: 40n * GWEI, tip: 4n * GWEI };
    await expect(chain.send(ana, { nonce: 0, ...dearer })).rejects.toEqual(code('TX_NONCE_TOO_LOW'));
    await chain.send(ana, { nonce: 2, ...dearer });
    expect(chain.mempool.get(waiting)).toBeUndefined();
    builder.withdraw('test');
    const instead = await chain.send(ana, { nonce: 0, ...dearer });
    expect(chain.mempool.get(promised)).toBeUndefined();
    expect(signedHashes(await chain.step())).toEqual([instead]);
  });

  it('that is in the open block already is known', async () => {
    const { chain, builder } = await start();
    await builder.begin();
    const raw = await signed(ana, { nonce: 0 });
    await chain.mempool.add(raw);
    await builder.extend(100);
    await expect(chain.mempool.add(raw)).rejects.toEqual(code('TX_ALREADY_KNOWN'));
    await builder.seal();
  });
});
