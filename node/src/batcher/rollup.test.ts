import { createMetrics, silentLogger } from '@openledger/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnvilL1, startAnvilL1 } from '../../test/support/anvil.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { genesisInputs, makeGenesis } from '../../test/support/testGenesis.ts';
import { TestVerifier } from '../../test/support/testVerifier.ts';
import { ana, lower, signed, wallet } from '../../test/support/wallets.ts';
import { Engine } from '../engine/engine.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import { createL1RpcSource } from '../l1/rpcL1Source.ts';
import { Mempool } from '../mempool/mempool.ts';
import { PendingChain } from '../pending/pendingChain.ts';
import { Sequencer } from '../sequencer/sequencer.ts';
import { Batcher } from './batcher.ts';
import type { DataKind } from './batcherOptions.ts';
import { engineBatchSource } from './batchSource.ts';

const NEWEST = 2n ** 63n;

/** Sequencer, batcher and derivation of one node, and a verifier that has nothing but L1: a real one. */
describe('a rollup on a real L1', () => {
  let l1: AnvilL1;
  beforeAll(async () => {
    l1 = await startAnvilL1(['--timestamp', String(genesisInputs.timestamp)]);
    await l1.client.setBlockTimestampInterval({ interval: 2 });
  }, 30_000);
  afterAll(() => l1?.stop());

  it.each<[DataKind]>([['calldata'], ['blobs']])('%s: a verifier gets the same chain', async (dataAvailability) => {
    const signer = wallet(`rollup batcher of ${dataAvailability}`);
    await l1.balance(signer.address, 10n ** 20n);
    // Anvil's transaction roots of blocks with blobs are not those of the protocol.
    const source = () => createL1RpcSource({ url: l1.url, beaconUrl: l1.url, trustRpc: dataAvailability === 'blobs' });
    const base = await makeGenesis(await source().head('latest'), { batcherAddress: lower(signer.address) });
    const { timestamp } = await source().head('latest');
    const genesis = { ...base, timestamp };
    const parts = { db: openMemoryDb(), log: silentLogger, metrics: createMetrics('rollup') };
    const engine = await Engine.open({ ...parts, genesis });
    const mempool = await Mempool.open({ ...parts, engine, limits: {} });
    const sequencer = new Sequencer({
      ...parts,
      engine,
      mempool,
      pending: new PendingChain(engine),
      l1: source(),
      l1Confirmations: 0n,
      flashblockMs: 0,
      now: Date.now,
    });
    const { driver } = TestVerifier.on(engine, source(), parts.db);
    const derive = async () => {
      while ((await driver.step()) !== 'idle');
    };
    const batcher = await Batcher.open({
      source: engineBatchSource(engine, async () => (await driver.safeHeadAtL1(NEWEST))?.l1.number),
      ...{ l1: createL1RpcSender({ url: l1.url }), signer, config: engine.config, log: silentLogger },
      ...{ db: openMemoryDb(), metrics: createMetrics('batcher') },
      options: { dataAvailability, maxChannelDuration: 2n },
      transactions: { confirmations: 2 },
    });
    for (let nonce = 0; nonce < 8; nonce++) {
      await mempool.add(await signed(ana, { nonce, value: 1n }));
      await sequencer.step();
      await sequencer.step();
      await batcher.step();
      await l1.mine();
      await derive();
    }
    for (let i = 0; i < 12 && engine.heads.safe.number < engine.heads.unsafe.number; i++) {
      batcher.flush();
      const { reset, waiting } = await batcher.step();
      expect([reset, waiting]).toEqual([undefined, undefined]);
      await l1.mine();
      await derive();
    }
    expect(engine.heads.safe).toEqual(engine.heads.unsafe);
    expect(engine.heads.unsafe.number).toBe(16n);
    const verifier = await TestVerifier.start(source(), genesis).then((v) => v.sync());
    expect(verifier.engine.heads.safe).toEqual(engine.heads.safe);
  });
});
