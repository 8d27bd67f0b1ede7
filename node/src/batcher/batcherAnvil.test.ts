import { createMetrics, silentLogger } from '@openledger/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnvilL1, startAnvilL1 } from '../../test/support/anvil.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { batcherConfig, type InboxTx, ScriptedL2 } from '../../test/support/scriptedL2.ts';
import { wallet } from '../../test/support/wallets.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import { createL1RpcSource } from '../l1/rpcL1Source.ts';
import { Batcher } from './batcher.ts';
import type { DataKind } from './batcherOptions.ts';

describe('batches on a real L1', () => {
  let l1: AnvilL1;
  beforeAll(async () => {
    l1 = await startAnvilL1();
  }, 30_000);
  afterAll(() => l1?.stop());

  /** What a verifier finds in the inbox, block by block. */
  const readInbox = async (batcher: string, trustRpc: boolean): Promise<InboxTx[]> => {
    const source = createL1RpcSource({ url: l1.url, beaconUrl: l1.url, trustRpc });
    const found: InboxTx[] = [];
    const { number: head } = await source.head('latest');
    for (let number = 1n; number <= head; number++) {
      const block = await source.blockByNumber(number);
      if (!block) continue;
      for (const { from, to, input, blobVersionedHashes } of await source.transactions(block)) {
        if (from !== batcher.toLowerCase() || !to) continue;
        found.push({ to, data: input, blobs: await source.blobs(block, blobVersionedHashes) });
      }
    }
    return found;
  };

  it.each<[DataKind]>([['calldata'], ['blobs']])(
    '%s: arrive, survive a reorg, and give the blocks back',
    async (kind) => {
      const signer = wallet(`batcher with ${kind}`);
      await l1.balance(signer.address, 10n ** 20n);
      const l2 = new ScriptedL2(batcherConfig(signer.address));
      const metrics = createMetrics('b');
      const batcher = await Batcher.open({
        ...{ source: l2, signer, config: l2.config, db: openMemoryDb(), log: silentLogger, metrics },
        l1: createL1RpcSender({ url: l1.url }),
        options: { dataAvailability: kind, maxChannelDuration: 2n },
        transactions: { confirmations: 2, maxPending: 2 },
      });
      // Anvil's transaction roots of blocks with blobs are not those of the protocol.
      const derive = async () => l2.derive(await readInbox(signer.address, kind === 'blobs'));
      const turn = async () => {
        await batcher.step();
        await l1.mine();
        await derive();
      };
      await l2.grow(6, { transactions: 2 });
      for (let i = 0; i < 4; i++) await turn();
      expect(l2.safe.number).toBe(6n);
      await l1.client.request({ method: 'anvil_reorg' as never, params: [2, []] as never });
      await derive();
      expect(l2.safe.number).toBe(0n);
      await l2.grow(2);
      for (let i = 0; i < 8 && batcher.report.l2Blocks < 8n; i++) await turn();
      expect(l2.safe.number).toBe(8n);
      expect(batcher.report).toMatchObject({ l2Blocks: 8n, l2Transactions: 14 });
      expect(batcher.report.l1CostPerTransaction).toBeGreaterThan(0n);
      expect(await metrics.registry.metrics()).toContain('b_channel_closed_reason{reason="max_duration"} 2');
    },
  );
});
