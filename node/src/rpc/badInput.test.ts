import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { ALLOWED_ORIGIN, type RpcAnswer, startTestServer, type TestServer } from '../../test/support/testServer.ts';
import { ana } from '../../test/support/wallets.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.chain.steps(2);
});
afterAll(() => server.close());
afterEach(async () => {
  // Whatever was sent, the next caller is served.
  expect((await server.rpc('eth_chainId')).result).toBe('0x3ef8');
});

const errorOf = async (body: string): Promise<{ status: number; code: number | undefined }> => {
  const response = await server.post(body);
  const answer = (await response.json()) as RpcAnswer;
  return { status: response.status, code: answer.error?.code };
};
const request = (method: string, params: unknown = [], id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params });

describe('a body', () => {
  it.each([
    ['that is not JSON', '{', -32700],
    ['that is empty', ' ', -32700],
    ['that is a number', '7', -32600],
    ['that is null', 'null', -32600],
    ['without a method', '{"jsonrpc":"2.0","id":1}', -32600],
    ['whose method is no text', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['that is an empty batch', '[]', -32600],
    ['that is a batch of 101', JSON.stringify(Array.from({ length: 101 }, () => request('eth_chainId'))), -32600],
    ['whose params are an object', JSON.stringify(request('eth_getBlockByNumber', { a: 1 })), -32602],
    ['whose params are text', JSON.stringify(request('eth_getBlockByNumber', 'latest')), -32602],
    [
      'with params nested 10,000 deep',
      `{"id":1,"method":"eth_call","params":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      -32602,
    ],
  ])('%s', async (_what, body, code) => expect(await errorOf(body)).toEqual({ status: 200, code }));

  it('nested 10,000 deep is one refused request', async () => {
    const response = await server.post(`${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    expect(await response.json()).toMatchObject([{ id: null, error: { code: -32600 } }]);
  });

  it('of 6 MB is refused before it is read', async () => {
    const response = await server.post(JSON.stringify(request('eth_call', ['x'.repeat(6 << 20)])));
    expect(response.status).toBe(413);
  });

  it.each([[7], ['a'], [null]])('keeps the id %j', async (id) => {
    const response = await server.post(JSON.stringify(request('eth_chainId', [], id)));
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id, result: '0x3ef8' });
  });

  it('without an id is a notification and gets no answer', async () => {
    const response = await server.post('{"jsonrpc":"2.0","method":"eth_chainId"}');
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('that is a batch is answered in its order, with errors in their places', async () => {
    const batch = [request('eth_chainId', [], 'a'), request('nope', [], 'b'), 7, request('net_version', [], 'c')];
    const answers = (await (await server.post(JSON.stringify(batch))).json()) as RpcAnswer[];
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      ['a', undefined],
      ['b', -32601],
      [null, -32600],
      ['c', undefined],
    ]);
  });
});

describe('a method', () => {
  it.each(['eth_nope', '__proto__', 'constructor', 'toString', '', 'eth_subscribe'])(
    '%j does not exist',
    async (method) => {
      const { error } = await server.rpc(method);
      expect(error).toEqual({ code: -32601, message: `the method ${method} does not exist/is not available` });
    },
  );
});

describe('a parameter', () => {
  const account = ana.address;
  const zeros = (bytes: number) => `0x${'00'.repeat(bytes)}`;
  it.each<[string, string, unknown[], number]>([
    ['that is missing', 'eth_getBalance', [], -32602],
    ['with an odd number of digits', 'eth_getBalance', [`${account}0`, 'latest'], -32602],
    ['that is too short an address', 'eth_getBalance', ['0x1234', 'latest'], -32602],
    ['that is no hex', 'eth_getBalance', [`0x${'zz'.repeat(20)}`, 'latest'], -32602],
    ['without 0x', 'eth_getBalance', ['12', 'latest'], -32602],
    ['with a leading zero', 'eth_getBlockByNumber', ['0x01', false], -32602],
    ['that is 0x', 'eth_getBlockByNumber', ['0x', false], -32602],
    ['that is negative', 'eth_getBlockByNumber', ['-0x1', false], -32602],
    ['that is a JSON number', 'eth_getBlockByNumber', [1, false], -32602],
    ['that is huge', 'eth_getBlockByNumber', [`0x1${'0'.repeat(16)}`, false], -32602],
    ['that is an unknown tag', 'eth_getBlockByNumber', ['newest', false], -32602],
    ['that is no boolean', 'eth_getBlockByNumber', ['latest', 'yes'], -32602],
    [
      'that names both hash and number',
      'eth_getBalance',
      [account, { blockHash: zeros(32), blockNumber: '0x0' }],
      -32602,
    ],
    ['that is a future block', 'eth_getBalance', [account, '0xffff'], -32000],
    ['that is an unknown hash', 'eth_getBalance', [account, { blockHash: zeros(32) }], -32000],
    ['that is a reversed range', 'eth_getLogs', [{ fromBlock: '0x2', toBlock: '0x1' }], -32602],
    ['that is a range behind the head', 'eth_getLogs', [{ fromBlock: '0x1', toBlock: '0xff' }], -32602],
    ['with range and hash', 'eth_getLogs', [{ fromBlock: '0x1', blockHash: zeros(32) }], -32602],
    ['with an unknown block hash', 'eth_getLogs', [{ blockHash: zeros(32) }], -32000],
    ['with five topics', 'eth_getLogs', [{ topics: [null, null, null, null, null] }], -32602],
    ['with topics that are no list', 'eth_getLogs', [{ topics: zeros(32) }], -32602],
    ['with a short topic', 'eth_getLogs', [{ topics: ['0x12'] }], -32602],
    ['with too many addresses', 'eth_getLogs', [{ address: Array(1001).fill(account) }], -32602],
    ['that is no filter', 'eth_newFilter', ['x'], -32602],
    ['that is an unknown filter', 'eth_getFilterChanges', ['0x1'], -32000],
    ['that is no call', 'eth_call', ['0x', 'latest'], -32602],
    ['with data and another input', 'eth_call', [{ data: '0x01', input: '0x02' }], -32602],
    ['with too much value', 'eth_call', [{ from: account, to: account, value: `0x${'f'.repeat(40)}` }], -32000],
    ['with a value above 256 bits', 'eth_call', [{ to: account, value: `0x1${'0'.repeat(64)}` }], -32602],
    ['with too little gas', 'eth_call', [{ to: account, gas: '0x1' }], -32000],
    ['that is no transaction', 'eth_sendRawTransaction', ['0x1234'], -32000],
    ['that is no transaction hex', 'eth_sendRawTransaction', ['0x123'], -32602],
    ['with too long a slot', 'eth_getStorageAt', [account, `0x${'11'.repeat(33)}`, 'latest'], -32602],
    ['with too many slots', 'eth_getProof', [account, Array(1025).fill('0x0'), 'latest'], -32602],
    ['with slots that are no list', 'eth_getProof', [account, '0x0', 'latest'], -32602],
    ['with a fractional count', 'eth_feeHistory', [1.5, 'latest', []], -32602],
    ['with a negative count', 'eth_feeHistory', [-1, 'latest', []], -32602],
    ['with falling percentiles', 'eth_feeHistory', ['0x1', 'latest', [50, 10]], -32602],
    ['with a percentile of 101', 'eth_feeHistory', ['0x1', 'latest', [101]], -32602],
    ['with 101 percentiles', 'eth_feeHistory', ['0x1', 'latest', Array(101).fill(1)], -32602],
  ])('%s: %s', async (_what, method, params, code) => {
    const { error, result } = await server.rpc(method, params);
    expect({ code: error?.code, result }).toEqual({ code, result: undefined });
  });

  it.each<[string, unknown[]]>([
    ['eth_getBlockByNumber', ['0xffff', false]],
    ['eth_getBlockByHash', [`0x${'11'.repeat(32)}`, false]],
    ['eth_getTransactionByHash', [`0x${'11'.repeat(32)}`]],
    ['eth_getTransactionReceipt', [`0x${'11'.repeat(32)}`]],
    ['eth_getTransactionByBlockNumberAndIndex', ['0x1', '0xffff']],
    ['eth_getBlockReceipts', ['0xffff']],
  ])('that names nothing is null, not an error: %s', async (method, params) => {
    expect(await server.rpc(method, params)).toMatchObject({ result: null });
  });
});

describe('origins', () => {
  const header = 'access-control-allow-origin';
  it('that are allowed may call from a browser, others may not read the answer', async () => {
    const body = JSON.stringify(request('eth_chainId'));
    expect((await server.post(body, { origin: ALLOWED_ORIGIN })).headers.get(header)).toBe(ALLOWED_ORIGIN);
    expect((await server.post(body, { origin: 'https://evil.example' })).headers.get(header)).toBeNull();
    expect((await server.post(body)).headers.get(header)).toBeNull();
    const preflight = await fetch(server.url, { method: 'OPTIONS', headers: { origin: ALLOWED_ORIGIN } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'content-type']);
    const refused = await fetch(server.url, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    expect(refused.headers.get(header)).toBeNull();
  });

  it('hold for WebSockets, which browsers open to anybody', async () => {
    const open = (origin?: string) => new WebSocket(server.url.replace('http', 'ws'), origin ? { origin } : {});
    for (const origin of [undefined, ALLOWED_ORIGIN]) {
      const socket = open(origin);
      await once(socket, 'open');
      socket.close();
    }
    const [error] = (await once(open('https://evil.example'), 'error')) as [Error];
    expect(error.message).toContain('403');
  });
});

describe('a WebSocket', () => {
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(server.url.replace('http', 'ws'));
    await once(socket, 'open');
    return socket;
  };
  const ask = async (socket: WebSocket, body: string): Promise<RpcAnswer> => {
    socket.send(body);
    const [data] = (await once(socket, 'message')) as [Buffer];
    return JSON.parse(data.toString()) as RpcAnswer;
  };

  it('gets the same refusals', async () => {
    const socket = await open();
    expect((await ask(socket, '{')).error?.code).toBe(-32700);
    expect((await ask(socket, JSON.stringify(request('eth_subscribe', ['nope'])))).error?.code).toBe(-32602);
    expect((await ask(socket, JSON.stringify(request('eth_unsubscribe', ['0x1'])))).result).toBe(false);
    socket.close();
  });

  it('has no more than 100 subscriptions', async () => {
    const socket = await open();
    const subscribe = JSON.stringify(request('eth_subscribe', ['newHeads']));
    for (let i = 0; i < 100; i++) expect((await ask(socket, subscribe)).error).toBeUndefined();
    expect((await ask(socket, subscribe)).error?.code).toBe(-32005);
    socket.close();
  });

  it('is closed after a message of 6 MB', async () => {
    const socket = await open();
    socket.on('error', () => {});
    socket.send('x'.repeat(6 << 20));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
  });

  it('that does not read is cut off, and keeps nobody waiting', async () => {
    const { port } = new URL(server.url);
    const raw = connect(Number(port), '127.0.0.1');
    const key = Buffer.alloc(16, 1).toString('base64');
    raw.write(
      `GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
    );
    await once(raw, 'data');
    raw.pause();
    const closed = new Promise((resolve) => raw.on('error', () => {}).on('close', resolve));
    // Answers of 0.3 MB each, asked for but never read.
    const body = Buffer.from(
      JSON.stringify(Array.from({ length: 100 }, () => request('eth_getBlockByNumber', ['latest', true]))),
    );
    const frame = Buffer.alloc(8 + body.length);
    frame[0] = 0x81;
    frame[1] = 0xfe;
    frame.writeUInt16BE(body.length, 2);
    body.copy(frame, 8);
    const flood = setInterval(() => raw.write(frame), 1);
    await closed;
    clearInterval(flood);
  });
});
