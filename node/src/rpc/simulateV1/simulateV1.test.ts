import { opPredeploys } from '@openledger/chain-config';
import { type Address, concatHex, type Hex, numberToHex, pad } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INITIAL_BALANCE } from '../../../test/support/testGenesis.ts';
import { startTestServer, type TestServer } from '../../../test/support/testServer.ts';
import { ana, bo, lower } from '../../../test/support/wallets.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.chain.steps(2);
});
afterAll(() => server.close());

type Call = {
  returnData: Hex;
  status: Hex;
  gasUsed: Hex;
  logs: { address: Hex; topics: Hex[]; data: Hex; logIndex: Hex; blockHash: Hex }[];
  error?: { code: number; message: string };
};
type Simulated = Record<'number' | 'hash' | 'parentHash' | 'baseFeePerGas' | 'extraData' | 'timestamp', Hex> & {
  transactions: (Hex & { type: Hex; from: Hex })[];
  withdrawalsRoot: Hex;
  calls: Call[];
};

const simulate = async (simulation: unknown, block = 'latest') => {
  const { result, error } = await server.rpc('eth_simulateV1', [simulation, block]);
  return { blocks: (result ?? []) as Simulated[], error };
};
const words = (...values: (Hex | bigint)[]): Hex =>
  concatHex(values.map((value) => pad(typeof value === 'bigint' ? numberToHex(value) : value, { size: 32 })));

const at = (byte: string): Address => `0x${byte.repeat(20)}`;
const reader = at('c1');
/** Returns the balance of an account. */
const balanceOf = (account: Address): { code: Hex } => ({
  code: concatHex(['0x73', account, '0x315f5260205ff3']),
});
const gas = '0x30000';

describe('eth_simulateV1 on a rollup', () => {
  it('builds on the head with its attributes and no deposits, and leaves nothing behind', async () => {
    const head = await server.chain.engine.headBlock();
    const transfer = { from: ana.address, to: bo.address, value: '0x5' };
    const simulation = {
      blockStateCalls: [
        { calls: [transfer] },
        { blockOverrides: { number: numberToHex(head.header.number + 3n) }, calls: [transfer] },
      ],
      returnFullTransactions: true,
    };
    const { blocks } = await simulate(simulation);
    expect(blocks.map(({ transactions }) => transactions.length)).toEqual([1, 0, 1]);
    expect(blocks.map(({ parentHash }) => parentHash)).toEqual([head.hash, blocks[0]?.hash, blocks[1]?.hash]);
    expect(blocks[0]).toMatchObject({
      extraData: head.header.extraData,
      withdrawalsRoot: head.header.withdrawalsRoot,
      baseFeePerGas: '0x0',
      transactions: [{ type: '0x2', from: lower(ana.address) }],
      calls: [{ status: '0x1', gasUsed: '0x5208' }],
    });
    expect(await server.chain.balance(bo.address)).toBe(INITIAL_BALANCE);
    expect((await simulate(simulation)).blocks).toEqual(blocks);
    expect((await server.chain.engine.headBlock()).hash).toBe(head.hash);
  });

  it('charges for data on L1 only when it validates', async () => {
    const stateOverrides = { [reader]: balanceOf(opPredeploys.l1FeeVault) };
    const base = BigInt((await server.rpc('eth_gasPrice')).result as Hex);
    const fees = { maxFeePerGas: numberToHex(base * 4n), gas };
    const calls = [
      { from: ana.address, to: bo.address, value: '0x1', ...fees },
      { from: ana.address, to: reader, ...fees },
    ];
    const paid = async (validation: boolean) => {
      const { blocks, error } = await simulate({ blockStateCalls: [{ stateOverrides, calls }], validation });
      expect(error).toBeUndefined();
      return BigInt(blocks[0]?.calls[1]?.returnData ?? 0);
    };
    const before = await server.chain.balance(opPredeploys.l1FeeVault);
    expect(await paid(false)).toBe(before);
    expect(await paid(true)).toBeGreaterThan(before);
  });

  it('refuses a sender who can pay for gas but not for data, when it validates', async () => {
    const price = 10n ** 9n;
    const poor = at('c2');
    const call = { from: poor, to: bo.address, gas: '0x5208', maxFeePerGas: numberToHex(price) };
    const stateOverrides = { [poor]: { balance: numberToHex(21_000n * price) } };
    const blockStateCalls = [{ stateOverrides, calls: [call] }];
    expect((await simulate({ blockStateCalls, validation: true })).error).toMatchObject({
      code: -38014,
      message: expect.stringMatching(
        /^err: insufficient funds .* have 21000000000000 want 2100\d+ \(supplied gas 21000\)$/,
      ),
    });
    expect((await simulate({ blockStateCalls })).blocks[0]?.calls[0]?.status).toBe('0x1');
  });

  it("has the next block's base fee when it validates, and the one that is asked for otherwise", async () => {
    const head = await server.chain.engine.headBlock();
    const next = server.chain.engine.rules.nextBaseFee(head.header, head.header.timestamp + 1n) ?? 0n;
    const { blocks } = await simulate({ blockStateCalls: [{}], validation: true });
    expect(BigInt(blocks[0]?.baseFeePerGas ?? 0)).toBe(next);
    // BASEFEE, returned by a creation.
    const calls = [{ input: '0x485f5260205ff3' }];
    const free = await simulate({ blockStateCalls: [{ blockOverrides: { baseFeePerGas: '0x7' }, calls }] });
    expect(free.blocks[0]?.calls[0]?.returnData).toBe(words(7n));
  });

  it('knows the hashes of simulated blocks and of stored ones', async () => {
    const head = await server.chain.engine.headBlock();
    // BLOCKHASH of the number in the call's data.
    const stateOverrides = { [reader]: { code: '0x5f35405f5260205ff3' } };
    const calls = [1n, 0n, -1n].map((offset) => ({ to: reader, input: words(head.header.number + offset) }));
    const { blocks } = await simulate({ blockStateCalls: [{ stateOverrides }, { calls }] });
    const hashes = [blocks[0]?.hash, head.hash, head.header.parentHash];
    expect(blocks[1]?.calls.map(({ returnData }) => returnData)).toEqual(hashes);
  });

  it('tells transfers as logs, also those to created contracts, but none of failed calls', async () => {
    // Creates an empty contract with the call's value, then fails if there is data.
    const code = '0x5f5f34f03615600c575f5ffd5b00';
    const from = ana.address;
    const calls = [
      { from, to: reader, value: '0x3', gas },
      { from, to: reader, value: '0x3', gas, input: '0x01' },
      { from, to: bo.address, value: '0x4', gas },
    ];
    const { blocks } = await simulate({
      blockStateCalls: [{ stateOverrides: { [reader]: { code } }, calls }],
      traceTransfers: true,
    });
    const logs = blocks[0]?.calls.map((call) => call.logs) ?? [];
    expect(blocks[0]?.calls.map(({ status }) => status)).toEqual(['0x1', '0x0', '0x1']);
    expect(logs.map((list) => list.map(({ data, logIndex }) => [BigInt(data), logIndex]))).toEqual([
      [
        [3n, '0x0'],
        [3n, '0x1'],
      ],
      [],
      [[4n, '0x2']],
    ]);
    expect(logs[0]?.[0]).toMatchObject({ address: at('ee'), blockHash: blocks[0]?.hash });
    expect(logs[0]?.[1]?.topics[1]).toBe(pad(reader, { size: 32 }));
    expect(logs[0]?.[1]?.topics[2]).not.toBe(pad(at('ee'), { size: 32 }));
  });

  it('caps the gas of a whole request, and says so where it mattered', async () => {
    const stateOverrides = { [reader]: { code: '0xfe' } };
    const calls = [{ to: reader }];
    const { blocks, error } = await simulate({
      blockStateCalls: [{ blockOverrides: { gasLimit: '0x5f5e100' }, stateOverrides, calls }],
    });
    expect(error).toBeUndefined();
    expect(blocks[0]?.calls[0]).toMatchObject({
      gasUsed: numberToHex(50_000_000n),
      error: { code: -32015, message: expect.stringContaining("capped by the RPC server's global gas cap") },
    });
  });

  it.each([
    [{ blockStateCalls: [] }, -32602, 'empty input'],
    [{ blockStateCalls: 7 }, -32602, /expected a list of blocks/],
    [{ blockStateCalls: [{ blockOverrides: { number: '0x1' } }] }, -38020, /^block numbers must be in order: 1 <= 2$/],
    [{ blockStateCalls: [{ blockOverrides: { number: '0x103' } }] }, -38026, 'too many blocks'],
    [
      { blockStateCalls: [{ calls: [{ gas: '0x5207' }] }] },
      -38013,
      /^err: intrinsic gas too low: have 20999, want \d+/,
    ],
    [{ blockStateCalls: [{ calls: [{ gas: '0xffffffff' }] }] }, -38015, /^block gas limit reached: remaining: \d+/],
    [
      { blockStateCalls: [{ calls: [{ nonce: '0x9' }] }], validation: true },
      -38011,
      /nonce too high: .* tx: 9 state: 0/,
    ],
    [{ blockStateCalls: [{ calls: [{ gasPrice: '0x1', maxFeePerGas: '0x1' }] }] }, -32000, /^both gasPrice and/],
    [{ blockStateCalls: [{ calls: [{ chainId: '0x1' }] }] }, -32000, /^chainId does not match/],
    [{ blockStateCalls: [{ calls: [{ to: reader, blobVersionedHashes: [words(1n)] }] }] }, -32000, /not supported/],
  ])('refuses %j', async (simulation, code, message) => {
    const { error } = await simulate(simulation);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('overrides of eth_call and eth_estimateGas', () => {
  const call = async (...params: unknown[]) => server.rpc('eth_call', params);

  it('reads balance, code and storage as overridden', async () => {
    const read = { to: reader };
    const balance = { [reader]: balanceOf(bo.address), [bo.address]: { balance: '0x7' } };
    expect((await call(read, 'latest', balance)).result).toBe(words(7n));
    // SLOAD of slot 0, and of slot 1.
    const code = '0x5f545f5260015460205260405ff3';
    const slots = { [words(0n)]: words(5n) };
    const cases = { state: [5n, 0n], stateDiff: [5n, 0n] };
    for (const [kind, values] of Object.entries(cases)) {
      expect((await call(read, 'latest', { [reader]: { code, [kind]: slots } })).result).toBe(words(...values));
    }
    const both = await call(read, 'latest', { [reader]: { state: slots, stateDiff: slots } });
    expect(both.error).toMatchObject({ code: -32000, message: expect.stringMatching(/both 'state' and 'stateDiff'$/) });
  });

  it('replaces the whole storage with `state`, and only some of it with `stateDiff`', async () => {
    const token = opPredeploys.l1Block;
    const timestampSlot = words(0n);
    const before = (await server.rpc('eth_getStorageAt', [token, timestampSlot, 'latest'])).result;
    expect(before).not.toBe(words(0n));
    // SLOAD of slot 0.
    const code = '0x5f545f5260205ff3';
    const slots = { [words(99n)]: words(1n) };
    expect((await call({ to: token }, 'latest', { [token]: { code, stateDiff: slots } })).result).toBe(before);
    expect((await call({ to: token }, 'latest', { [token]: { code, state: slots } })).result).toBe(words(0n));
  });

  it('moves a precompile away, and puts code where it was', async () => {
    const sha256 = pad('0x02', { size: 20 });
    const overrides = { [sha256]: { movePrecompileToAddress: at('c3'), code: '0x60015f5260205ff3' } };
    const real = (await call({ to: sha256, input: '0x1234' }, 'latest')).result;
    expect((await call({ to: at('c3'), input: '0x1234' }, 'latest', overrides)).result).toBe(real);
    expect((await call({ to: sha256, input: '0x1234' }, 'latest', overrides)).result).toBe(words(1n));
  });

  it('is executed in the overridden block', async () => {
    // NUMBER, TIMESTAMP, COINBASE.
    const input = '0x435f52426020524160405260605ff3';
    const overrides = { number: '0x1234', time: '0x5678', feeRecipient: bo.address };
    const { result } = await call({ input }, 'latest', {}, overrides);
    expect(result).toBe(words(0x1234n, 0x5678n, lower(bo.address)));
    expect((await call({ input }, 'latest', {}, { withdrawals: [] })).error?.message).toMatch(/not supported/);
  });

  it('estimates with overrides', async () => {
    const rich = at('c4');
    const transfer = { from: rich, to: bo.address, value: '0x1' };
    expect((await server.rpc('eth_estimateGas', [transfer, 'latest'])).error?.message).toMatch(/insufficient funds/);
    const funded = { [rich]: { balance: '0x1' } };
    expect((await server.rpc('eth_estimateGas', [transfer, 'latest', funded])).result).toBe('0x5208');
  });
});

describe('a call with an authorization list', () => {
  /** Returns its own address. */
  const stateOverrides = { [reader]: { code: '0x305f5260205ff3' } };
  const delegated = async () => {
    const chainId = server.viemChain.id;
    const { r, s, yParity } = await bo.signAuthorization({ address: reader, chainId, nonce: 0 });
    const signature = { r: numberToHex(BigInt(r)), s: numberToHex(BigInt(s)), yParity: numberToHex(yParity ?? 0) };
    return { chainId: numberToHex(chainId), address: reader, nonce: '0x0', ...signature };
  };

  it('runs the code that it delegates to, and pays 25,000 gas for an entry', async () => {
    const request = { from: ana.address, to: bo.address };
    const withList = { ...request, authorizationList: [await delegated()] };
    const ask = async (method: string, call: unknown) =>
      (await server.rpc(method, [call, 'latest', stateOverrides])).result as Hex;
    expect(await ask('eth_call', request)).toBe('0x');
    expect(await ask('eth_call', withList)).toBe(pad(lower(bo.address), { size: 32 }));
    expect(await ask('eth_estimateGas', request)).toBe('0x5208');
    // The refund for Bo's account comes after, so that all 25,000 have to be supplied.
    expect(BigInt(await ask('eth_estimateGas', withList))).toBeGreaterThanOrEqual(21_000n + 25_000n);
  });

  it('is a set-code transaction in a simulation, whose delegation stays for the next call', async () => {
    const calls = [
      { from: ana.address, to: at('c5'), authorizationList: [await delegated()], gas },
      { from: ana.address, to: bo.address, gas },
    ];
    const { blocks } = await simulate({ blockStateCalls: [{ stateOverrides, calls }], returnFullTransactions: true });
    expect(blocks[0]?.transactions.map(({ type }) => type)).toEqual(['0x4', '0x2']);
    // 12,500 come back, as far as a fifth of the gas used, because Bo's account exists.
    expect(blocks[0]?.calls[0]?.gasUsed).toBe(numberToHex(((21_000n + 25_000n) * 4n) / 5n));
    expect(blocks[0]?.calls[1]?.returnData).toBe(pad(lower(bo.address), { size: 32 }));
  });
});
