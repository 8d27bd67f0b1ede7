import fc from 'fast-check';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { sendDatanet, startOpenBlocks } from '../../test/support/openBlocks.ts';
import { signedHashes } from '../../test/support/testChain.ts';
import { ana, bo, chi, GWEI, lower, OPEN, signed } from '../../test/support/wallets.ts';
import { decodeEvents } from '../events/decodeEvents.ts';
import type { Flashblock } from '../pending/flashblock.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const stranger = `0x${'5a'.repeat(20)}` as const;
const added = ({ block, from }: Flashblock): Hex[] => block.transactions.slice(from).map(({ hash }) => hash);

describe('an open block', () => {
  it('begins with its deposits, and grows by what came into the pool, a flashblock at a time', async () => {
    const { chain, builder, flashblocks } = await startOpenBlocks();
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
    const { chain, builder, flashblocks } = await startOpenBlocks();
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
    const { builder, flashblocks } = await startOpenBlocks();
    await builder.begin();
    await builder.extend(100);
    await builder.extend(100);
    expect(flashblocks.map(({ index }) => index)).toEqual([0]);
    await builder.seal();
  });

  it('is the same block, hash for hash, as one that is built at once', async () => {
    const one = await startOpenBlocks();
    const two = await startOpenBlocks();
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
          const { chain, builder, flashblocks } = await startOpenBlocks();
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
    const { chain, builder, flashblocks } = await startOpenBlocks();
    for (let nonce = 0; nonce < 3; nonce++) await chain.send(ana, { nonce });
    await builder.begin();
    await builder.extend(0);
    expect(flashblocks).toHaveLength(1);
    await builder.extend(1_000);
    expect(flashblocks[1] && added(flashblocks[1])).toHaveLength(3);
    await builder.seal();
  });

  it('publishes what is done when there is more than an interval can execute, and loses none of the rest', async () => {
    const { chain, builder, flashblocks } = await startOpenBlocks();
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
    const { chain, builder } = await startOpenBlocks();
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
    const { chain, builder } = await startOpenBlocks();
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

describe('a raw transaction', () => {
  it('takes the place of one that waits, and of none that is preconfirmed', async () => {
    const { chain, builder } = await startOpenBlocks();
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
    const { chain, builder } = await startOpenBlocks();
    await builder.begin();
    const raw = await signed(ana, { nonce: 0 });
    await chain.mempool.add(raw);
    await builder.extend(100);
    await expect(chain.mempool.add(raw)).rejects.toEqual(code('TX_ALREADY_KNOWN'));
    await builder.seal();
  });
});
