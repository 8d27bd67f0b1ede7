import { predeploys } from '@openledger/chain-config';
import { createOpenLedgerClient, sendTransaction, waitForReceipt, whenRoom } from '@openledger/client';
import { datanetsAbi } from '@openledger/contracts';
import { createWalletClient, type Hex, http, zeroHash } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { startTestServer, type TestServer } from '../../test/support/testServer.ts';
import { ana, bo, chi, governance, signed } from '../../test/support/wallets.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const KB = 1024;
/** 20 KB of calldata. */
const data: Hex = `0x${'5a'.repeat(20 * KB)}`;
const big = { data, gas: 2_000_000n, to: chi.address };

describe('a mempool with more coming than fits', () => {
  it('includes all that it acknowledged, and tells the others to come back', async () => {
    server = await startTestServer({ limits: { maxPoolBytes: 200 * KB } });
    const { chain, rpc } = server;
    const { builder } = chain.sequencer;
    const people = [ana, bo, governance];
    const raws = await Promise.all(
      Array.from({ length: 60 }, (_, i) => signed(people[i % 3] ?? ana, { ...big, nonce: Math.floor(i / 3) })),
    );
    const acknowledged = new Set<Hex>();
    const included: Hex[] = [];
    let refused = 0;
    let waiting: Hex[] = raws;
    for (let round = 0; waiting.length > 0 && round < 40; round++) {
      await builder.begin();
      const answers = await Promise.all(waiting.map((raw) => rpc('eth_sendRawTransaction', [raw])));
      const later: Hex[] = [];
      for (const [index, { result, error }] of answers.entries()) {
        const raw = waiting[index] as Hex;
        if (result) acknowledged.add(result as Hex);
        else {
          expect(error).toEqual({ code: -32005, message: 'txpool is full', data: { retryAfterMs: 1_000 } });
          refused++;
          later.push(raw);
        }
      }
      await builder.extend(5_000);
      included.push(...signedHashes(await builder.seal()));
      waiting = later;
    }
    expect(refused).toBeGreaterThan(60);
    expect(waiting).toEqual([]);
    expect(new Set(included)).toEqual(acknowledged);
    expect(included).toHaveLength(60);
    expect((await chain.mempool.content()).pending).toEqual([]);
  });

  it('has room again for what a block took, and counts what waits to be looked at', async () => {
    const chain = await TestChain.start({ limits: { maxPoolBytes: 50 * KB } });
    const raws = await Promise.all([0, 1, 2].map((nonce) => signed(ana, { ...big, nonce })));
    const results = await Promise.allSettled(raws.map((raw) => chain.mempool.add(raw)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: { code: 'MEMPOOL_FULL', meta: { retryAfterMs: 1_000 } } });
    await chain.step();
    await chain.mempool.add(raws[2] as Hex);
  });

  it('keeps after a restart what it acknowledged, whatever the bound is by then', async () => {
    const chain = await TestChain.start();
    const hashes = [];
    for (const nonce of [0, 1, 2]) hashes.push(await chain.send(ana, { ...big, nonce }));
    const { db, genesis, l1 } = chain;
    const again = await TestChain.start({ db, genesis, l1, limits: { maxPoolBytes: 10 * KB, maxTransactions: 1 } });
    expect(signedHashes(await again.step())).toEqual(hashes);
  });

  it('takes the transactions of a block that was taken back in again, full or not', async () => {
    const chain = await TestChain.start({ limits: { maxPoolBytes: 50 * KB } });
    const parent = await chain.step();
    const hashes = [await chain.send(ana, { ...big, nonce: 0 }), await chain.send(ana, { ...big, nonce: 1 })];
    await chain.step();
    await chain.send(bo, { ...big, nonce: 0 });
    const replaced = await chain.sequencer.step(parent);
    // Bo's took the place; Ana's two wait beside whatever else does.
    const later = await chain.step();
    expect(new Set([...signedHashes(replaced), ...signedHashes(later)])).toEqual(
      new Set([...hashes, ...signedHashes(replaced)]),
    );
  });
});

describe('the SDK', () => {
  it('hands a transaction over again when there is room, with backoff', async () => {
    server = await startTestServer({ limits: { maxPoolBytes: 25 * KB } });
    const { chain, viemChain, url } = server;
    await chain.send(bo, { ...big, nonce: 0 });
    const wallet = createWalletClient({ chain: viemChain, transport: http(url, { retryCount: 0 }), account: ana });
    let tries = 0;
    const sending = whenRoom(() => {
      // The block that makes room comes after the first refusal.
      if (tries++ === 1)
        return chain.step().then(() => wallet.sendTransaction({ to: bo.address, data, gas: 2_000_000n }));
      return wallet.sendTransaction({ to: bo.address, data, gas: 2_000_000n });
    });
    const hash = await sending;
    expect(tries).toBe(2);
    expect(signedHashes(await chain.step())).toEqual([hash]);
  });

  it('gives up with the node’s own words when there never is room, and at once on anything else', async () => {
    server = await startTestServer({ limits: { maxPoolBytes: 1 } });
    const { viemChain, url } = server;
    const wallet = createWalletClient({ chain: viemChain, transport: http(url, { retryCount: 0 }), account: ana });
    const send = () => wallet.sendTransaction({ to: bo.address, gas: 21_000n });
    await expect(whenRoom(send, 10)).rejects.toThrow('txpool is full');
    let tries = 0;
    const broken = async () => {
      tries++;
      throw new Error('no');
    };
    await expect(whenRoom(broken)).rejects.toThrow('no');
    expect(tries).toBe(1);
  });

  it('waits for the block, or for the promise when it is asked to', async () => {
    server = await startTestServer();
    const { chain, viemChain } = server;
    const { builder } = chain.sequencer;
    const call = { address: predeploys.datanets, abi: datanetsAbi, functionName: 'createDatanet', args: ['a', 0, 't'] };
    const fast = createOpenLedgerClient({
      chain: viemChain,
      account: ana,
      finality: 'preconfirmed',
      pollingInterval: 10,
    });
    const safe = createOpenLedgerClient({ chain: viemChain, account: bo, pollingInterval: 10 });
    await builder.begin();
    const arrived = (who: string) =>
      new Promise<void>((resolve) => {
        const stop = chain.mempool.onTransaction((tx) => {
          if (tx.from.toLowerCase() !== who.toLowerCase()) return;
          stop();
          resolve();
        });
      });
    const ready = arrived(ana.address);
    const promised = sendTransaction(fast, call);
    await ready;
    // Long enough for the client to have asked once in vain.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await builder.extend(1_000);
    const receipt = await promised;
    expect([receipt.status, receipt.blockHash]).toEqual(['success', zeroHash]);
    // What was promised is seen by what comes next.
    expect(await fast.public.readContract({ ...call, functionName: 'datanet', args: [1n] } as never)).toBeDefined();
    const second = arrived(bo.address);
    const sequenced = sendTransaction(safe, call);
    await second;
    await builder.extend(1_000);
    const waiting = waitForReceipt(safe.public, receipt.transactionHash);
    const block = await builder.seal();
    expect((await sequenced).blockHash).toBe(block.hash);
    expect((await waiting).blockHash).toBe(block.hash);
  });
});
