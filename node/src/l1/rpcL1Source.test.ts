import { bytesToHex, type Hex, keccak256, toHex, zeroHash } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AnvilL1, startAnvilL1 } from '../../test/support/anvil.ts';
import { type RpcProxy, startRpcProxy } from '../../test/support/rpcProxy.ts';
import { ana, bo, GWEI, lower } from '../../test/support/wallets.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';
import { type Kzg, loadKzg } from './kzg.ts';
import { encodeL1Transaction } from './l1Encoding.ts';
import type { L1Block, L1Source } from './l1Source.ts';
import { createL1RpcSource } from './rpcL1Source.ts';
import type { RpcBlock, RpcTransaction } from './rpcTypes.ts';
import { verifyL1Transactions } from './verifyL1Block.ts';

const code = (name: string, handling = 'retry') => expect.objectContaining({ code: name, handling });
const blobOf = (byte: number) => new Uint8Array(131_072).fill(byte, 1, 20);
/** Logs its calldata's first word with itself as topic, twice. */
const LOGGER: Hex = '0x60003560005260003560206000a160003560206000a100';

describe('L1 over RPC', () => {
  let l1: AnvilL1;
  let proxy: RpcProxy;
  let kzg: Kzg;
  let block: L1Block;
  let blobBlock: L1Block;
  let genesis: unknown;
  let hashes: Hex[];
  const blobs = [blobOf(1), blobOf(2), blobOf(3)];
  let blobHashes: Hex[];

  const source = (options: Partial<Parameters<typeof createL1RpcSource>[0]> = {}): L1Source =>
    createL1RpcSource({ url: proxy.url, beaconUrl: proxy.url, limits: { retries: 1 }, ...options });

  const rpcBlock = (method: string, id: string) =>
    l1.client.request({ method: method as never, params: [id, true] as never }) as Promise<RpcBlock>;

  beforeAll(async () => {
    [l1, kzg] = await Promise.all([startAnvilL1(), loadKzg()]);
    proxy = await startRpcProxy(l1.url);
    for (const { address } of [ana, bo]) await l1.balance(address, 10n ** 20n);
    const logger = `0x${'10'.repeat(20)}` as const;
    await l1.client.setCode({ address: logger, bytecode: LOGGER });
    blobHashes = blobs.map((blob) => kzg.versionedHash(kzg.blobToCommitment(blob)));
    const common = { chainId: l1.client.chain.id, gas: 100_000n, to: logger, data: toHex(7n, { size: 32 }) };
    const fees = { maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: GWEI };
    const authorizationList = [await bo.signAuthorization({ chainId: 0, nonce: 0, contractAddress: logger })];
    const raw = [
      await ana.signTransaction({ ...common, type: 'legacy', nonce: 0, gasPrice: 10n * GWEI }),
      await ana.signTransaction({
        ...common,
        type: 'eip2930',
        nonce: 1,
        gasPrice: 10n * GWEI,
        accessList: [{ address: logger, storageKeys: [zeroHash] }],
      }),
      await ana.signTransaction({ ...common, ...fees, type: 'eip1559', nonce: 2, value: 0n }),
      await ana.signTransaction({ ...common, ...fees, type: 'eip7702', nonce: 3, authorizationList }),
      // Its log is not in the block: it runs out of gas.
      await ana.signTransaction({ ...common, ...fees, type: 'eip1559', nonce: 4, gas: 22_300n }),
    ];
    hashes = [];
    for (const serializedTransaction of raw) hashes.push(await l1.client.sendRawTransaction({ serializedTransaction }));
    await l1.mine();
    block = await source().head('latest');
    const blobTransaction = await ana.signTransaction({
      ...common,
      ...fees,
      type: 'eip4844',
      nonce: 5,
      maxFeePerBlobGas: GWEI,
      blobs,
      kzg: { blobToKzgCommitment: kzg.blobToCommitment, computeBlobKzgProof: kzg.computeProof },
    });
    await l1.client.sendRawTransaction({ serializedTransaction: blobTransaction });
    await l1.mine();
    blobBlock = await source().head('latest');
    genesis = await rpcBlock('eth_getBlockByNumber', '0x0');
  }, 60_000);
  afterEach(() => {
    proxy.tamper = (_, result) => result;
    proxy.status = undefined;
  });
  afterAll(async () => {
    await proxy?.close();
    await l1?.stop();
  });

  it('knows blocks by tag, number and hash, and says when there is none', async () => {
    const expected = await l1.client.getBlock({ blockNumber: 1n });
    expect(block).toMatchObject({ number: 1n, hash: expected.hash, parentHash: expected.parentHash, blobBaseFee: 1n });
    expect(await source().blockByNumber(1n)).toEqual(block);
    expect(await source().blockByHash(block.hash)).toEqual(block);
    expect((await source().head('finalized')).number).toBe(0n);
    expect((await source().head('latest')).number).toBe(2n);
    expect(await source().blockByNumber(9n)).toBeUndefined();
    expect(await source().blockByHash(keccak256('0x'))).toBeUndefined();
  });

  it('recomputes every type of transaction and who sent it', async () => {
    const transactions = await source().transactions(block);
    expect(transactions.map(({ hash }) => hash)).toEqual(hashes);
    expect(transactions.map(({ type }) => type)).toEqual([0, 1, 2, 4, 2]);
    expect(new Set(transactions.map(({ from }) => from))).toEqual(new Set([lower(ana.address)]));
  });

  it('gives receipts with the logs’ places in the block', async () => {
    const receipts = await source().receipts(block);
    expect(receipts.map(({ success }) => success)).toEqual([true, true, true, true, false]);
    expect(receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => logIndex))).toEqual(
      Array.from({ length: 8 }, (_, index) => BigInt(index)),
    );
  });

  it('gives blobs in the asked order, by block hash from anvil', async () => {
    const asked = [2, 0, 2].map((index) => blobHashes[index] as Hex);
    const answer = await source().blobs(blobBlock, asked);
    expect(answer.map((blob) => bytesToHex(blob))).toEqual(
      [2, 0, 2].map((index) => bytesToHex(blobs[index] as Uint8Array)),
    );
    expect(await source().blobs(blobBlock, [])).toEqual([]);
  });

  it('asks once for what it has', async () => {
    const cached = source();
    await cached.receipts(block);
    await cached.transactions(block);
    proxy.calls.length = 0;
    await cached.receipts(block);
    await cached.transactions(block);
    await cached.blockByHash(block.hash);
    expect(proxy.calls.filter((call) => call !== 'eth_chainId')).toEqual([]);
  });

  it('asks for each receipt where the endpoint can’t give a block’s', async () => {
    proxy.tamper = (method, result) => {
      if (method === 'eth_getBlockReceipts') throw Object.assign(new Error('no such method'), { code: -32_601 });
      return result;
    };
    expect((await source().receipts(block)).length).toBe(5);
  });

  // biome-ignore lint/suspicious/noExplicitAny: an answer that is being falsified has any shape.
  type Falsify = (answer: any) => unknown;
  /** Falsifies the answers to one method: in place, or by another answer. */
  const lie =
    (about: string, falsify: Falsify): RpcProxy['tamper'] =>
    (method, result) =>
      method.startsWith(about) ? (falsify(result) ?? result) : result;
  const set =
    (change: object, of: Falsify = (answer) => answer) =>
    (answer: unknown) =>
      void Object.assign(of(answer) as object, change);
  const header = (l: L1Source) => l.blockByHash(block.hash);
  const transactions = (l: L1Source) => l.transactions(block);
  const receipts = (l: L1Source) => l.receipts(block);
  const firstBlob = (l: L1Source) => l.blobs(blobBlock, blobHashes.slice(0, 1));
  const [BLOCK, RECEIPTS, BLOBS] = ['eth_getBlockByHash', 'eth_getBlockReceipts', '/eth/v1/beacon/blobs'] as const;

  it.each<[string, string, Falsify, (l: L1Source) => Promise<unknown>]>([
    ['a header field', BLOCK, set({ timestamp: '0x1' }), header],
    ['a quantity', BLOCK, set({ gasUsed: 'many' }), header],
    ['a gap in the header', BLOCK, set({ withdrawalsRoot: null }), header],
    ['the block it is', BLOCK, () => genesis, header],
    ['the number it is', 'eth_getBlockByNumber', () => genesis, (l) => l.blockByNumber(1n)],
    ['the block of transactions', BLOCK, () => genesis, transactions],
    ['an input', BLOCK, set({ input: '0x01' }, ({ transactions: [first] }) => first), transactions],
    ['how many transactions there are', BLOCK, set({ transactions: [] }), transactions],
    ['what a transaction is', BLOCK, set({ transactions: [null] }), transactions],
    ['an unknown type', BLOCK, set({ type: '0x9' }, ({ transactions: [first] }) => first), transactions],
    ['withdrawals', BLOCK, set({ withdrawals: null }), transactions],
    ['a status', RECEIPTS, set({ status: '0x1' }, (all) => all[4]), receipts],
    ['a log', RECEIPTS, set({ data: '0x' }, ([first]) => first.logs[0]), receipts],
    ['how many receipts there are', RECEIPTS, () => [], receipts],
    ['a blob', BLOBS, ({ data }) => ({ data: data.map((blob: Hex) => blob.replace('01', '02')) }), firstBlob],
    ['a blob’s size', BLOBS, () => ({ data: ['0x00'] }), firstBlob],
    ['which blobs there are', BLOBS, () => ({ data: [] }), firstBlob],
    ['the form of blobs', BLOBS, () => ({}), firstBlob],
  ])('refuses an endpoint that lies about %s', async (_what, about, falsify, ask) => {
    proxy.tamper = lie(about, falsify);
    await expect(ask(source())).rejects.toEqual(code('L1_BAD_DATA'));
  });

  it('does not take the sender from the answer', async () => {
    proxy.tamper = lie(
      BLOCK,
      set({ from: bo.address, hash: zeroHash }, (answer) => answer.transactions[0]),
    );
    expect((await source().transactions(block))[0]).toMatchObject({ from: lower(ana.address), hash: hashes[0] });
    expect((await source({ trustRpc: true }).transactions(block))[0]).toMatchObject({ from: lower(bo.address) });
  });

  it('checks blob transactions without their blobs, which is not the root that anvil makes', async () => {
    const [tx] = await source({ trustRpc: true }).transactions(blobBlock);
    expect(tx).toMatchObject({ type: 3, from: lower(ana.address), blobVersionedHashes: blobHashes });
    await expect(source().transactions(blobBlock)).rejects.toEqual(code('L1_BAD_DATA'));
    const answer = await rpcBlock('eth_getBlockByHash', blobBlock.hash);
    const raw = encodeL1Transaction(answer.transactions[0] as RpcTransaction).raw;
    const header = { ...answer, transactionsRoot: await orderedTrieRoot([raw]) };
    expect(await verifyL1Transactions(header, answer.transactions)).toEqual([tx]);
  });

  it('takes a trusted endpoint at its word, but for blobs', async () => {
    proxy.tamper = lie(BLOCK, set({ timestamp: '0x1' }));
    const trusting = source({ trustRpc: true });
    expect((await trusting.blockByHash(block.hash))?.timestamp).toBe(1n);
    expect(await trusting.transactions(block)).toHaveLength(5);
    expect(await trusting.receipts(block)).toHaveLength(5);
    proxy.tamper = lie(BLOBS, () => ({ data: [] }));
    await expect(trusting.blobs(blobBlock, blobHashes)).rejects.toEqual(code('L1_BAD_DATA'));
  });

  it('tells an endpoint that does not answer, without its secrets', async () => {
    proxy.status = 503;
    const url = `${proxy.url}/v2/0123456789abcdef0123456789?key=topsecret`;
    for (const ask of [
      (s: L1Source) => s.head('latest'),
      (s: L1Source) => s.receipts(block),
      (s: L1Source) => s.blobs(blobBlock, blobHashes),
    ]) {
      const error = await ask(source({ url, beaconUrl: url })).catch((thrown) => thrown);
      expect(error).toEqual(code('L1_UNAVAILABLE'));
      expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toMatch(/topsecret|0123456789abcdef/);
    }
    proxy.status = undefined;
    proxy.tamper = () => {
      throw new Error('header not found');
    };
    await expect(source().head('safe')).rejects.toEqual(code('L1_UNAVAILABLE'));
    await expect(createL1RpcSource({ url: l1.url }).blobs(blobBlock, blobHashes)).rejects.toEqual(
      code('L1_UNAVAILABLE'),
    );
  });
});
