import { opPredeploys, predeploys } from '@openledger/chain-config';
import { datanetsAbi } from '@openledger/contracts';
import { encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../../test/support/testServer.ts';
import { ana, bo, lower } from '../../../test/support/wallets.ts';
import type { Receipt } from '../../primitives/receipt.ts';

type Frame = { [key: string]: unknown; type: string; calls?: Frame[] };
type Struct = { pc: number; op: string; gas: number; gasCost: number; depth: number; stack?: Hex[]; storage?: object };

let server: TestServer;
let call: { hash: Hex; receipt: Receipt; number: bigint };
/** Init code that reverts with `Error("no")`. */
const REVERTING: Hex = '0x6308c379a060e01b5f52602060045260026024526d6e6f00000000000000000000000060901b60445260645ffd';

const trace = async <T>(hash: Hex, options: object): Promise<T> => {
  const { result, error } = await server.rpc('debug_traceTransaction', [hash, options]);
  if (error) throw new Error(error.message);
  return result as T;
};

beforeAll(async () => {
  server = await startTestServer();
  const data = encodeFunctionData({ abi: datanetsAbi, functionName: 'createDatanet', args: ['traced', 0, 'text'] });
  const { hash, receipt, block } = await server.chain.execute(ana, { to: predeploys.datanets, data });
  call = { hash, receipt, number: block.header.number };
});
afterAll(() => server.close());

describe('the call tracer', () => {
  it('shows a proxy calling its implementation, with the gas of the receipt and the logs', async () => {
    const top = await trace<Frame>(call.hash, { tracer: 'callTracer', tracerConfig: { withLog: true } });
    expect(top).toMatchObject({ type: 'CALL', from: lower(ana.address), to: predeploys.datanets, value: '0x0' });
    expect(BigInt(top.gasUsed as Hex)).toBe(call.receipt.gasUsed);
    expect(BigInt(top.gas as Hex)).toBe(3_000_000n);
    const implementation = top.calls?.find(({ type }) => type === 'DELEGATECALL');
    expect(implementation).toMatchObject({ from: predeploys.datanets, input: top.input });
    const logs = implementation?.logs as { address: Hex; topics: Hex[] }[];
    expect(logs.map(({ topics }) => topics)).toEqual(call.receipt.logs.map(({ topics }) => topics));
  });

  it('tells a transfer, a creation that reverts and its reason, and only the top when asked', async () => {
    const transfer = await server.chain.execute(bo, { to: ana.address, value: 3n });
    const plain = await trace<Frame>(transfer.hash, { tracer: 'callTracer' });
    expect(plain).toMatchObject({ type: 'CALL', value: '0x3', gasUsed: '0x5208', input: '0x' });
    const created = await server.chain.execute(bo, { to: null, data: REVERTING });
    expect(await trace<Frame>(created.hash, { tracer: 'callTracer' })).toMatchObject({
      type: 'CREATE',
      error: 'execution reverted',
      gasUsed: `0x${created.receipt.gasUsed.toString(16)}`,
    });
    const top = await trace<Frame>(call.hash, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } });
    expect(top.calls).toBeUndefined();
  });

  it('traces the L1 attributes deposit, too', async () => {
    const block = await server.chain.engine.chain.blockByNumber(call.number);
    const deposit = await trace<Frame>(block?.transactions[0]?.hash ?? '0x', { tracer: 'callTracer' });
    expect(deposit).toMatchObject({
      to: opPredeploys.l1Block,
      gasUsed: `0x${block?.receipts[0]?.gasUsed.toString(16)}`,
    });
  });
});

describe('struct logs', () => {
  it('account for all the gas that was executed', async () => {
    const { structLogs, gas, failed } = await trace<{ structLogs: Struct[]; gas: number; failed: boolean }>(
      call.hash,
      {},
    );
    expect([BigInt(gas), failed]).toEqual([call.receipt.gasUsed, false]);
    const top = structLogs.filter(({ depth }) => depth === 1);
    for (const [index, step] of top.slice(0, -1).entries()) {
      // Calls hand gas on and get some back; for the others the next step has what this one left.
      if (/CALL|CREATE/.test(step.op)) continue;
      expect(top[index + 1]?.gas, `${step.op} at ${step.pc}`).toBe(step.gas - step.gasCost);
    }
    expect(structLogs.some(({ storage }) => storage !== undefined)).toBe(true);
    const bare = await trace<{ structLogs: Struct[] }>(call.hash, {
      disableStack: true,
      disableStorage: true,
      limit: 5,
    });
    expect(bare.structLogs.map(({ stack, storage }) => [stack, storage])).toEqual(
      Array(5).fill([undefined, undefined]),
    );
  });

  it('of a block are in the order of its transactions', async () => {
    const { result } = await server.rpc('debug_traceBlockByNumber', [`0x${call.number.toString(16)}`, {}]);
    const block = await server.chain.engine.chain.blockByNumber(call.number);
    expect((result as { txHash: Hex }[]).map(({ txHash }) => txHash)).toEqual(
      block?.transactions.map(({ hash }) => hash),
    );
  });

  it('come from a call that is not on the chain, and of tracers that exist', async () => {
    const request = { from: ana.address, to: bo.address, value: '0x1' };
    const { result } = await server.rpc('debug_traceCall', [request, 'latest', { tracer: 'callTracer' }]);
    expect(result).toMatchObject({ type: 'CALL', value: '0x1' });
    expect((await server.rpc('debug_traceTransaction', [call.hash, { tracer: 'nope' }])).error?.code).toBe(-32000);
    expect((await server.rpc('debug_traceBlockByNumber', ['0x0', {}])).error?.message).toBe('genesis is not traceable');
  });
});
