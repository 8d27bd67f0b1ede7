import { predeploys } from '@openledger/chain-config';
import { datanetsAbi } from '@openledger/contracts';
import { encodeFunctionData, type Hex, numberToHex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { startTestServer, type TestServer } from '../../test/support/testServer.ts';
import { ana, bo, chi, lower } from '../../test/support/wallets.ts';

let server: TestServer;
const sockets: WebSocket[] = [];
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close();
});

// biome-ignore lint/suspicious/noExplicitAny: messages are as different as the streams.
type Message = any;

/** Messages of a socket, in order. */
const open = async (path: string) => {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path);
  sockets.push(socket);
  const messages: Message[] = [];
  let wake = () => {};
  socket.on('message', (data) => {
    messages.push(JSON.parse(data.toString()));
    wake();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const next = async (): Promise<Message> => {
    while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return messages.shift();
  };
  return { socket, next };
};
const createDatanet = encodeFunctionData({ abi: datanetsAbi, functionName: 'createDatanet', args: ['a', 0, 'text'] });

describe('the stream of flashblocks', () => {
  it('has the base with index 0, then what each interval added, in the convention’s names', async () => {
    const { chain } = server;
    const { builder } = chain.sequencer;
    const { next } = await open('/flashblocks');
    await builder.begin();
    const zero = await next();
    const head = await chain.engine.headBlock();
    expect(zero).toMatchObject({ index: 0, base: { parent_hash: head.hash, block_number: '0x1' } });
    expect(zero.payload_id).toMatch(/^0x[0-9a-f]{16}$/);
    expect(Object.values(zero.metadata.receipts)).toMatchObject([{ Deposit: { status: '0x1' } }]);
    const hash = await chain.send(ana, { nonce: 0, to: chi.address, value: 5n });
    await builder.extend(1_000);
    const one = await next();
    expect(one).toMatchObject({
      payload_id: zero.payload_id,
      index: 1,
      metadata: { block_number: 1, receipts: { [hash]: { Eip1559: { status: '0x1', logs: [] } } } },
    });
    expect(one).not.toHaveProperty('base');
    const transaction = chain.mempool.get(hash);
    expect(one.diff.transactions).toEqual([transaction?.raw]);
    expect(one.metadata.new_account_balances[lower(chi.address)]).toBe(numberToHex(INITIAL_BALANCE + 5n));
    const sealed = await builder.seal();
    expect(one.diff.gas_used).toBe(numberToHex(sealed.header.gasUsed));
    expect(one.diff.logs_bloom).toBe(sealed.header.logsBloom);
  });

  it('tells a late subscriber the whole open block', async () => {
    const { chain } = server;
    await chain.sequencer.builder.begin();
    await chain.send(ana, { nonce: 0 });
    await chain.sequencer.builder.extend(1_000);
    const { next } = await open('/flashblocks');
    expect([(await next()).index, (await next()).index]).toEqual([0, 1]);
  });

  it('goes on with another payload id after a withdrawn block', async () => {
    const { builder } = server.chain.sequencer;
    const { next } = await open('/flashblocks');
    await builder.begin();
    builder.withdraw('test');
    await builder.begin();
    const [one, two] = [await next(), await next()];
    expect([one.index, two.index, one.metadata.block_number]).toEqual([0, 0, two.metadata.block_number]);
    expect(one.payload_id).not.toBe(two.payload_id);
  });

  it('takes no more subscribers than it can serve, and forgets those that go', async () => {
    const many = await Promise.all(Array.from({ length: 200 }, () => open('/flashblocks')));
    const { socket } = await open('/flashblocks');
    const code = await new Promise((resolve) => socket.once('close', resolve));
    expect(code).toBe(1013);
    const [first] = many;
    first?.socket.close();
    await new Promise((resolve) => first?.socket.once('close', resolve));
    await server.chain.sequencer.builder.begin();
    const { next } = await open('/flashblocks');
    expect((await next()).index).toBe(0);
  });
});

describe('eth_subscribe', () => {
  const subscribe = async (...params: unknown[]) => {
    const { socket, next } = await open('/');
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params }));
    expect((await next()).result).toMatch(/^0x/);
    return async () => (await next()).params.result;
  };

  it('has newFlashblocks, newFlashblockTransactions and pendingLogs', async () => {
    const { chain } = server;
    const { builder } = chain.sequencer;
    const blocks = await subscribe('newFlashblocks');
    const transactions = await subscribe('newFlashblockTransactions');
    const logs = await subscribe('pendingLogs', { address: predeploys.datanets });
    await builder.begin();
    expect((await blocks()).transactions).toHaveLength(1);
    const deposit: Hex = await transactions();
    const fields = { to: predeploys.datanets, data: createDatanet, gas: 1_000_000n };
    const first = await chain.send(ana, { nonce: 0, ...fields });
    await builder.extend(1_000);
    expect((await blocks()).transactions).toEqual([deposit, first]);
    expect(await transactions()).toBe(first);
    expect((await logs()).transactionHash).toBe(first);
    const second = await chain.send(bo, { nonce: 0, ...fields });
    await builder.extend(1_000);
    const count = (await builder.seal()).receipts[1]?.logs.length ?? 0;
    for (let i = 1; i < count; i++) await logs();
    expect((await logs()).transactionHash).toBe(second);
  });
});
