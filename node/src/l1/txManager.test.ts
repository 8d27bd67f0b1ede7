import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeL1Pool } from '../../test/support/fakeL1Pool.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { ana } from '../../test/support/wallets.ts';
import { TxManager, type TxManagerOptions } from './txManager.ts';

const inbox: Hex = `0x${'ff'.repeat(20)}`;
const request = (id: string, blobs: Uint8Array[] = []) => ({
  id,
  to: inbox,
  data: `0x${Buffer.from(id).toString('hex')}` as Hex,
  gas: 30_000n,
  blobs,
});

describe('L1 transactions', () => {
  let l1: FakeL1Pool;
  let db: LevelDb;
  let metrics: ReturnType<typeof createMetrics>;
  const open = (options: Partial<TxManagerOptions> = {}) => {
    metrics = createMetrics('t');
    return TxManager.open({
      sender: l1,
      signer: ana,
      chainId: 900,
      db,
      prefix: 'Bt',
      log: silentLogger,
      metrics,
      confirmations: 2,
      resubmitAfter: 3,
      maxPending: 8,
      ...options,
    });
  };
  const turn = async (manager: TxManager) => {
    await manager.refresh();
    return manager.publish();
  };
  const states = (manager: TxManager) => manager.all.map(({ id, state }) => `${id} ${state}`);
  const landed = () => l1.included.map(({ data }) => Buffer.from(data.slice(2), 'hex').toString());
  const value = async (name: string) =>
    (await metrics.registry.getMetricsAsJSON()).find((m) => m.name === `t_${name}`)?.values[0]?.value;

  beforeEach(() => {
    l1 = new FakeL1Pool();
    db = openMemoryDb();
  });

  it('are sent in order and confirmed after some blocks', async () => {
    const manager = await open();
    await manager.submit(request('a'));
    await manager.submit(request('b'));
    await manager.submit(request('a'));
    expect(states(manager)).toEqual(['a queued', 'b queued']);
    await turn(manager);
    expect(states(manager)).toEqual(['a published', 'b published']);
    l1.mine();
    await turn(manager);
    expect(states(manager)).toEqual(['a included', 'b included']);
    l1.mine();
    await turn(manager);
    expect(states(manager)).toEqual(['a confirmed', 'b confirmed']);
    expect(manager.get('a')?.inclusion).toMatchObject({ block: { number: 1n }, cost: 21_000n });
    await manager.forget(['a', 'b']);
    expect(states(await open())).toEqual([]);
    expect(landed()).toEqual(['a', 'b']);
  });

  it('wait in line when only so many may be in the pool', async () => {
    const manager = await open({ maxPending: 1 });
    for (const id of ['a', 'b']) await manager.submit(request(id));
    await turn(manager);
    expect(l1.pool.size).toBe(1);
    l1.mine();
    await turn(manager);
    expect(l1.pool.size).toBe(1);
    l1.mine();
    expect(landed()).toEqual(['a', 'b']);
  });

  it('do not mix with blob transactions in the pool', async () => {
    const manager = await open();
    await manager.submit(request('a'));
    await manager.submit(request('b', [new Uint8Array(131_072)]));
    await manager.submit(request('c'));
    await turn(manager);
    expect([...l1.pool.values()].map(({ blobs }) => blobs.length)).toEqual([0]);
    l1.mine();
    await turn(manager);
    expect([...l1.pool.values()].map(({ blobs }) => blobs.length)).toEqual([1]);
    l1.mine();
    await turn(manager);
    l1.mine();
    expect(landed()).toEqual(['a', 'b', 'c']);
  });

  it('go on after a restart with the same nonces, and are not sent twice', async () => {
    let manager = await open();
    for (const id of ['a', 'b']) await manager.submit(request(id));
    await turn(manager);
    l1.mine();
    manager = await open();
    await turn(manager);
    expect(states(manager)).toEqual(['a included', 'b included']);
    expect(landed()).toEqual(['a', 'b']);
  });

  it('survive a crash at every call and every write', async () => {
    for (let crashAt = 1, crashed = true; crashed; crashAt++) {
      crashed = false;
      l1 = new FakeL1Pool();
      db = openMemoryDb();
      let calls = 0;
      const tick = () => {
        if (++calls === crashAt) {
          crashed = true;
          throw new Error('crash');
        }
      };
      l1.before = tick;
      const batch = db.batch.bind(db);
      Object.assign(db, {
        batch: () => {
          tick();
          return batch();
        },
      });
      const run = async () => {
        const manager = await open();
        for (const id of ['a', 'b', 'c']) {
          await manager.submit(request(id));
          await turn(manager);
        }
        for (let i = 0; i < 3; i++) {
          l1.mine();
          await turn(manager);
        }
        await manager.forget(['a', 'b', 'c']);
      };
      await run().catch((error) => expect(error.message).toBe('crash'));
      if (crashed) await run();
      // Once forgotten, an id is new: only a crash in the very last write, after which run() starts over, sends them again.
      const times = landed().length / 3;
      expect(landed()).toEqual(Array.from({ length: times }, () => ['a', 'b', 'c']).flat());
      expect(l1.pool.size).toBe(0);
    }
  });

  it('offer 10% more, with blobs twice as much, when they wait too long', async () => {
    for (const blobs of [[], [new Uint8Array(131_072)]]) {
      l1 = new FakeL1Pool();
      db = openMemoryDb();
      const manager = await open();
      await manager.submit(request('a', blobs));
      await turn(manager);
      const first = l1.pool.get(0n);
      l1.current = { ...l1.current, baseFee: 10n ** 10n };
      for (let i = 0; i < 3; i++) {
        l1.mine();
        await turn(manager);
      }
      const second = l1.pool.get(0n);
      expect(second?.hash).not.toBe(first?.hash);
      expect(second?.tip).toBe(blobs.length > 0 ? 2n * 10n ** 9n : 11n * 10n ** 8n);
      expect(second?.blobFee).toBe(blobs.length > 0 ? 2n * 10n ** 9n : 0n);
      l1.mine();
      await turn(manager);
      expect(states(manager)).toEqual(['a included']);
      expect(await value('tx_gas_bump')).toBe(1);
    }
  });

  it('outbid at once whatever has their nonce in the pool', async () => {
    const lostJournal = await open();
    await lostJournal.submit(request('old'));
    await turn(lostJournal);
    db = openMemoryDb();
    const manager = await open();
    await manager.submit(request('new'));
    expect(await turn(manager)).toBeUndefined();
    l1.mine();
    expect(landed()).toEqual(['new']);
  });

  it('never offer more than the cap', async () => {
    const manager = await open({ fees: { maxFeePerGas: 3n * 10n ** 9n } });
    await manager.submit(request('a'));
    expect(await turn(manager)).toBeUndefined();
    l1.current = { ...l1.current, baseFee: 10n ** 10n };
    for (let i = 0; i < 3; i++) l1.mine();
    expect(await turn(manager)).toMatchObject({ code: 'L1_TX_FEE_CAP', handling: 'retry' });
    l1.current = { ...l1.current, baseFee: 10n ** 9n };
    l1.mine();
    await turn(manager);
    expect(states(manager)).toEqual(['a included']);
  });

  it('that the pool dropped are sent again as they were', async () => {
    const manager = await open();
    await manager.submit(request('a'));
    await turn(manager);
    const [sent] = l1.pool.values();
    l1.pool.clear();
    await turn(manager);
    expect([...l1.pool.values()]).toEqual([sent]);
  });

  it('that an L1 reorg took back are sent again as they were, even after their confirmations', async () => {
    const manager = await open();
    for (const id of ['a', 'b']) await manager.submit(request(id));
    await turn(manager);
    l1.mine();
    l1.mine();
    l1.mine();
    await turn(manager);
    expect(states(manager)).toEqual(['a confirmed', 'b confirmed']);
    l1.reorg(3);
    await turn(manager);
    expect(states(manager)).toEqual(['a published', 'b published']);
    l1.mine();
    expect(landed()).toEqual(['a', 'b']);
  });

  it('wait for money with a reason, leave no gap, and go on when it comes', async () => {
    const manager = await open();
    await manager.submit(request('a'));
    l1.funds = 5n;
    await manager.submit(request('b'));
    expect(await turn(manager)).toMatchObject({ code: 'L1_INSUFFICIENT_FUNDS', handling: 'retry' });
    expect(l1.pool.size).toBe(0);
    expect(await value('tx_publish_error_count')).toBe(1);
    expect(await value('balance')).toBe(5e-18);
    l1.funds = 10n ** 20n;
    expect(await turn(manager)).toBeUndefined();
    l1.mine();
    expect(landed()).toEqual(['a', 'b']);
  });

  it('are lost when a stranger has used their nonce', async () => {
    const manager = await open();
    await manager.submit(request('a'));
    await turn(manager);
    l1.pool.clear();
    l1.stranger();
    for (let i = 0; i < 3; i++) {
      await turn(manager);
      expect(states(manager)).toEqual(['a included']);
      l1.mine();
    }
    await turn(manager);
    expect(states(manager)).toEqual(['a lost']);
  });

  it('fill a gap of nonces that a deep reorg leaves below them', async () => {
    const manager = await open();
    for (const id of ['a', 'b']) await manager.submit(request(id));
    await turn(manager);
    l1.mine();
    l1.mine();
    await turn(manager);
    await manager.forget(['a', 'b']);
    await manager.submit(request('c'));
    await turn(manager);
    l1.reorg(2);
    await turn(manager);
    l1.mine();
    await turn(manager);
    expect(l1.included.map(({ to }) => to === inbox)).toEqual([false, false, true]);
    expect(states(manager)).toEqual(['c included']);
  });

  it('that nobody waits for any more leave an empty transfer in their nonce, also after a restart', async () => {
    for (const restarts of [false, true]) {
      l1 = new FakeL1Pool();
      db = openMemoryDb();
      let manager = await open();
      await manager.submit(request('a'));
      await turn(manager);
      await manager.submit(request('b'));
      await manager.forget(['a', 'b']);
      if (restarts) manager = await open();
      expect(states(manager)).toEqual([]);
      await manager.submit(request('a'));
      await turn(manager);
      expect([...l1.pool.keys()]).toEqual([0n, 1n]);
      l1.mine();
      l1.mine();
      await turn(manager);
      expect(landed()).toEqual(['', 'a']);
      expect(await db.keys().all()).toHaveLength(1);
    }
  });

  it('with blobs that nobody waits for go through: no pool lets others replace them', async () => {
    const manager = await open();
    await manager.submit(request('a', [new Uint8Array(131_072)]));
    await turn(manager);
    await manager.forget(['a']);
    await turn(manager);
    l1.mine();
    l1.mine();
    await turn(manager);
    expect(landed()).toEqual(['a']);
    expect(await db.keys().all()).toEqual([]);
  });

  it('are for one chain', async () => {
    const manager = await open({ chainId: 1 });
    await expect(manager.refresh()).rejects.toMatchObject({ code: 'L1_WRONG_CHAIN', handling: 'fatal' });
  });
});
