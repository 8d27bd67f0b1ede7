import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import type { Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AnvilL1, startAnvilL1 } from '../../test/support/anvil.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { lower, wallet } from '../../test/support/wallets.ts';
import type { BlobProofs } from './blobTransaction.ts';
import type { L1Sender } from './l1Sender.ts';
import { createL1RpcSender } from './rpcL1Sender.ts';
import { TxManager, type TxManagerOptions } from './txManager.ts';

const inbox: Hex = `0x${'ff'.repeat(20)}`;
const blob = new Uint8Array(131_072).fill(5, 1, 30);
let nextAccount = 0;

describe.each<[string, BlobProofs]>([
  ['prague', 'blob'],
  ['osaka', 'cell'],
])('sending to a real L1 of %s', (hardfork, blobProofs) => {
  let l1: AnvilL1;
  let sender: L1Sender;
  let db: LevelDb;
  let signer: ReturnType<typeof wallet>;

  beforeAll(async () => {
    l1 = await startAnvilL1(['--hardfork', hardfork]);
    sender = createL1RpcSender({ url: l1.url });
  }, 30_000);
  afterAll(() => l1?.stop());
  beforeEach(async () => {
    db = openMemoryDb();
    signer = wallet(`sender ${nextAccount++}`);
    await l1.balance(signer.address, 10n ** 19n);
  });

  const open = (options: Partial<TxManagerOptions> = {}) =>
    TxManager.open({
      ...{ sender, signer, chainId: l1.client.chain.id, db, prefix: 't', log: silentLogger, blobProofs },
      ...{ metrics: createMetrics('t'), confirmations: 2, resubmitAfter: 1, maxPending: 4 },
      ...options,
    });
  const request = (id: string, blobs: Uint8Array[] = []) => ({
    id,
    to: inbox,
    data: '0x01' as Hex,
    gas: 30_000n,
    blobs,
  });
  const turn = async (manager: TxManager) => {
    await manager.refresh();
    return manager.publish();
  };
  const pending = () => l1.client.request({ method: 'txpool_content' }).then(({ pending: txs }) => Object.values(txs));
  const clearPool = () => l1.client.request({ method: 'anvil_dropAllTransactions' as never });

  it.each([
    ['calldata', []],
    ['blobs', [blob, blob]],
  ])('%s: confirmed, with what it cost', async (_what, blobs) => {
    const manager = await open();
    await manager.submit(request('a', blobs));
    expect(await turn(manager)).toBeUndefined();
    const before = await sender.balance(signer.address);
    await l1.mine();
    await turn(manager);
    const tx = manager.get('a');
    expect(tx).toMatchObject({ state: 'included', inclusion: { success: true } });
    expect(before - (await sender.balance(signer.address))).toBe(tx?.inclusion?.cost);
    await l1.mine();
    await turn(manager);
    expect(manager.get('a')?.state).toBe('confirmed');
  });

  it.each([
    ['calldata', []],
    ['blobs', [blob]],
  ])('%s: replaced by a better paid one when the base fee has outgrown it', async (_what, blobs) => {
    const manager = await open();
    await manager.submit(request('a', blobs));
    await turn(manager);
    const first = manager.get('a')?.attempts[0];
    await l1.client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n * (await sender.fees()).baseFee });
    await l1.mine();
    expect(await turn(manager)).toBeUndefined();
    expect(manager.get('a')?.attempts).toHaveLength(2);
    expect(await pending()).toHaveLength(1);
    await l1.mine();
    await turn(manager);
    expect(manager.get('a')).toMatchObject({ state: 'included', attempts: [{ hash: first?.hash }, {}] });
    expect(manager.get('a')?.inclusion?.hash).toBe(manager.get('a')?.attempts[1]?.hash);
  });

  it('sends again what the pool dropped and what a reorg took back', async () => {
    const manager = await open({ resubmitAfter: 100 });
    await manager.submit(request('a'));
    await turn(manager);
    await clearPool();
    await turn(manager);
    await l1.mine();
    await turn(manager);
    expect(manager.get('a')?.state).toBe('included');
    await l1.client.request({ method: 'anvil_rollback' as never, params: [1] as never });
    await clearPool();
    await turn(manager);
    expect(manager.get('a')).toMatchObject({ state: 'published', attempts: [{}] });
    await l1.mine();
    await turn(manager);
    expect(manager.get('a')?.state).toBe('included');
  });

  it('understands why L1 refuses', async () => {
    const sign = (fields: object) =>
      signer.signTransaction({
        ...{ type: 'eip1559', chainId: l1.client.chain.id, nonce: 0, to: inbox, gas: 21_000n },
        ...{ maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 9n },
        ...fields,
      } as Parameters<typeof signer.signTransaction>[0]);
    const raw = await sign({});
    await sender.sendRaw(raw);
    await expect(sender.sendRaw(raw)).resolves.toBeUndefined();
    const code = (name: string) => expect.objectContaining({ code: name });
    await expect(sender.sendRaw(await sign({ value: 1n }))).rejects.toEqual(code('L1_TX_UNDERPRICED'));
    await expect(sender.sendRaw(await sign({ nonce: 1, value: 10n ** 20n }))).rejects.toEqual(
      code('L1_INSUFFICIENT_FUNDS'),
    );
    await expect(sender.sendRaw(await sign({ nonce: 1, gas: 20_000n }))).rejects.toEqual(code('L1_TX_REFUSED'));
    await l1.mine();
    await expect(sender.sendRaw(await sign({ value: 2n }))).rejects.toEqual(code('L1_TX_NONCE_USED'));
    expect(await sender.nonce(lower(signer.address))).toBe(1n);
  });
});
