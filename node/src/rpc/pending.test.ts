import { predeploys } from '@openledger/chain-config';
import { datanetsAbi } from '@openledger/contracts';
import { encodeFunctionData, type Hex, numberToHex, parseEventLogs, zeroHash } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { startTestServer, type TestServer } from '../../test/support/testServer.ts';
import { ana, bo, chi, OPEN } from '../../test/support/wallets.ts';
import { ChainReader } from './chainReader.ts';
import { queryLogs, toLogQuery } from './logs.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const createDatanet: Hex = encodeFunctionData({
  abi: datanetsAbi,
  functionName: 'createDatanet',
  args: ['pending', 0, 'text'],
});
const readDatanet = { address: predeploys.datanets, abi: datanetsAbi, functionName: 'datanet', args: [1n] } as const;

/** An open block with a transfer and a new datanet in it, and one more transaction that only waits. */
const openWithTwo = async () => {
  const { builder } = server.chain.sequencer;
  await builder.begin();
  const transfer = await server.chain.send(ana, { nonce: 0, to: chi.address, value: 7n * OPEN });
  const call = await server.chain.send(ana, {
    nonce: 1,
    to: predeploys.datanets,
    data: createDatanet,
    gas: 1_000_000n,
  });
  await builder.extend(1_000);
  const waiting = await server.chain.send(ana, { nonce: 2 });
  return { builder, transfer, call, waiting };
};

describe('the pending tag', () => {
  it('answers balances, nonces, code and storage from the open block; latest stays where it is', async () => {
    const { client } = server;
    const { builder } = await openWithTwo();
    expect(await client.getBalance({ address: chi.address, blockTag: 'pending' })).toBe(INITIAL_BALANCE + 7n * OPEN);
    expect(await client.getBalance({ address: chi.address })).toBe(INITIAL_BALANCE);
    expect(await client.getTransactionCount({ address: ana.address, blockTag: 'pending' })).toBe(3);
    expect(await client.getTransactionCount({ address: ana.address })).toBe(0);
    const sealed = await builder.seal();
    expect(await client.getBalance({ address: chi.address, blockNumber: sealed.header.number })).toBe(
      INITIAL_BALANCE + 7n * OPEN,
    );
  });

  it('is the head when no block is open', async () => {
    const { client, chain } = server;
    const head = await chain.step();
    expect((await client.getBlock({ blockTag: 'pending' })).hash).toBe(head.hash);
  });

  it('gives the same storage, slot for slot, as the sealed block', async () => {
    const { client } = server;
    const { builder } = await openWithTwo();
    const slots = Array.from({ length: 24 }, (_, slot) => numberToHex(slot, { size: 32 }));
    const read = (blockTag: 'pending' | 'latest') =>
      Promise.all(slots.map((slot) => client.getStorageAt({ address: predeploys.datanets, slot, blockTag })));
    const before = await read('latest');
    const pending = await read('pending');
    await builder.seal();
    expect(pending).toEqual(await read('latest'));
    expect(pending).not.toEqual(before);
  });

  it('executes calls on what is preconfirmed, and leaves the open block alone', async () => {
    const { client } = server;
    const { builder } = await openWithTwo();
    const pending = await client.readContract({ ...readDatanet, blockTag: 'pending' });
    expect(pending).toMatchObject({ owner: ana.address });
    await expect(client.readContract(readDatanet)).rejects.toThrow('UnknownDatanet');
    const gas = await client.estimateGas({
      account: ana,
      to: predeploys.datanets,
      data: createDatanet,
      blockTag: 'pending',
    });
    expect(gas).toBeGreaterThan(21_000n);
    // Calls in between change nothing of what is sealed.
    await Promise.all(
      Array.from({ length: 20 }, () =>
        server.rpc('eth_call', [{ from: bo.address, to: chi.address, value: '0x1' }, 'pending']),
      ),
    );
    const block = await builder.seal();
    expect(block.receipts.map(({ success }) => success)).toEqual([true, true, true]);
  });

  it('shows the block with zero hash and roots, and its transactions', async () => {
    const { transfer, call } = await openWithTwo();
    const { result } = (await server.rpc('eth_getBlockByNumber', ['pending', false])) as {
      result: Record<string, unknown>;
    };
    expect(result).toMatchObject({ hash: zeroHash, stateRoot: zeroHash, number: '0x1' });
    expect((result.transactions as Hex[]).slice(1)).toEqual([transfer, call]);
    expect(result.parentHash).toBe(server.chain.engine.heads.unsafe.hash);
    expect(BigInt(result.gasUsed as Hex)).toBeGreaterThan(21_000n);
    expect((await server.rpc('eth_getBlockTransactionCountByNumber', ['pending'])).result).toBe('0x3');
    expect((await server.rpc('eth_getBlockReceipts', ['pending'])).result).toHaveLength(3);
    expect((await server.rpc('eth_blockNumber')).result).toBe('0x0');
  });

  it('takes in logs when the range goes to pending, once', async () => {
    const { builder, call } = await openWithTwo();
    const filter = (toBlock: string) => [{ fromBlock: '0x0', toBlock, address: predeploys.datanets }];
    const pending = (await server.rpc('eth_getLogs', filter('pending'))).result as { transactionHash: Hex }[];
    expect(pending.map(({ transactionHash }) => transactionHash)).toEqual(pending.map(() => call));
    expect(pending.length).toBeGreaterThan(0);
    expect((await server.rpc('eth_getLogs', filter('latest'))).result).toEqual([]);
    await builder.seal();
    expect((await server.rpc('eth_getLogs', filter('pending'))).result).toHaveLength(pending.length);
  });

  it('and latest are found in a chain that grows while it is asked', async () => {
    const { chain } = server;
    for (const to of ['latest', 'pending'] as const) {
      const reader = new ChainReader(chain.engine, chain.mempool, chain.pending);
      const require = reader.requireBlock.bind(reader);
      reader.requireBlock = async (selector) => {
        await chain.step();
        return require(selector);
      };
      const query = toLogQuery({ fromBlock: 'earliest', toBlock: to, address: predeploys.datanets });
      expect(await queryLogs(reader, query)).toEqual([]);
    }
  });

  it('simulates on top of the open block, and proves its state', async () => {
    await openWithTwo();
    const calls = [{ from: chi.address, to: bo.address, value: numberToHex(INITIAL_BALANCE + OPEN) }];
    const on = (tag: string) => server.rpc('eth_simulateV1', [{ blockStateCalls: [{ calls }] }, tag]);
    expect(await on('pending')).toMatchObject({ result: [{ calls: [{ status: '0x1' }] }] });
    expect(await on('latest')).toHaveProperty('error');
    const proof = await server.rpc('eth_getProof', [chi.address, [], 'pending']);
    expect(proof.result).toMatchObject({ balance: numberToHex(INITIAL_BALANCE + 7n * OPEN) });
  });
});

describe('a preconfirmed transaction', () => {
  it('has a receipt with a zero block hash, and the sealed block’s afterwards', async () => {
    const { client } = server;
    const { builder, call, waiting } = await openWithTwo();
    const preconfirmed = await client.getTransactionReceipt({ hash: call });
    expect(preconfirmed).toMatchObject({
      status: 'success',
      blockHash: zeroHash,
      blockNumber: 1n,
      transactionIndex: 2,
    });
    expect(parseEventLogs({ abi: datanetsAbi, logs: preconfirmed.logs }).map(({ eventName }) => eventName)).toContain(
      'DatanetCreated',
    );
    expect((await server.rpc('eth_getTransactionReceipt', [waiting])).result).toBeNull();
    const block = await builder.seal();
    const sealed = await client.getTransactionReceipt({ hash: call });
    expect(sealed.blockHash).toBe(block.hash);
    const bare = ({ logs, blockHash: _, ...rest }: typeof sealed) => ({
      ...rest,
      logs: logs.map(({ blockHash: __, ...log }) => log),
    });
    expect(bare(sealed)).toEqual(bare(preconfirmed));
  });

  it('is found by its hash in the open block', async () => {
    const { transfer, waiting } = await openWithTwo();
    const byHash = async (hash: Hex) => (await server.rpc('eth_getTransactionByHash', [hash])).result;
    expect(await byHash(transfer)).toMatchObject({ blockHash: zeroHash, blockNumber: '0x1', transactionIndex: '0x1' });
    expect(await byHash(waiting)).toMatchObject({ blockHash: null, blockNumber: null });
  });

  it('is pending no more when the block is withdrawn, and waits', async () => {
    const { builder, transfer } = await openWithTwo();
    builder.withdraw('test');
    expect((await server.rpc('eth_getTransactionReceipt', [transfer])).result).toBeNull();
    expect((await server.rpc('eth_getTransactionByHash', [transfer])).result).toMatchObject({ blockHash: null });
    expect(await server.client.getBalance({ address: chi.address, blockTag: 'pending' })).toBe(INITIAL_BALANCE);
  });
});

describe('pending state', () => {
  it('has code that was deployed, storage that was written and accounts that were destroyed', async () => {
    const { chain, client } = server;
    const { builder } = chain.sequencer;
    // Constructor: SSTORE(1, 42); the code it returns is one byte, STOP.
    const deploy: Hex = '0x602a60015560016000f3';
    await builder.begin();
    const hash = await chain.send(ana, { nonce: 0, to: null, data: deploy, gas: 200_000n });
    await builder.extend(1_000);
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    const address = contractAddress as Hex;
    expect(await client.getCode({ address, blockTag: 'pending' })).toBe('0x00');
    expect(await client.getCode({ address })).toBeUndefined();
    expect(await client.getStorageAt({ address, slot: numberToHex(1), blockTag: 'pending' })).toBe(
      numberToHex(42, { size: 32 }),
    );
    // Constructor: SSTORE(1, 42), then SELFDESTRUCT to the caller in the transaction that made it: nothing is left.
    const destroyed = await chain.send(ana, { nonce: 1, to: null, data: '0x602a60015533ff', gas: 200_000n });
    await builder.extend(1_000);
    const gone = (await client.getTransactionReceipt({ hash: destroyed })).contractAddress as Hex;
    expect(await client.getStorageAt({ address: gone, slot: numberToHex(1), blockTag: 'pending' })).toBe(zeroHash);
    await builder.seal();
    for (const blockTag of ['latest', 'pending'] as const) {
      expect(await client.getCode({ address, blockTag })).toBe('0x00');
      expect(await client.getCode({ address: gone, blockTag })).toBeUndefined();
    }
  });
});
