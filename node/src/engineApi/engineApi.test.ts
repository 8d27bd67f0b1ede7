import { silentLogger } from '@openledger/kit';
import { SignJWT } from 'jose';
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedHashes, TestChain } from '../../test/support/testChain.ts';
import { makeGenesis } from '../../test/support/testGenesis.ts';
import { ana, bo } from '../../test/support/wallets.ts';
import { preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import { ChainReader } from '../rpc/chainReader.ts';
import { startEngineServer } from './engineServer.ts';
import { payloadIdOf } from './payloadBuilder.ts';
import { toPayloadJson } from './payloadJson.ts';

const secret = new Uint8Array(32).fill(7);
const NOW = 1_800_000_000_000;
const token = (iat = NOW / 1000, key = secret, alg = 'HS256') =>
  new SignJWT({}).setProtectedHeader({ alg }).setIssuedAt(iat).sign(key);

/** Two nodes of one chain: a sequencer that makes blocks, and one that is driven by a consensus client. */
let sequencer: TestChain;
let driven: TestChain;
let server: { url: string; close(): Promise<void> };

beforeAll(async () => {
  sequencer = await TestChain.start();
  const genesis = await makeGenesis(sequencer.l1.genesis);
  driven = await TestChain.start({ l1: sequencer.l1, genesis });
  server = await startEngineServer({
    chain: new ChainReader(driven.engine, driven.mempool),
    status: { l1: driven.l1 },
    host: '127.0.0.1',
    port: 0,
    jwtSecret: secret,
    now: () => NOW,
    log: silentLogger,
  });
});
afterAll(() => server.close());

type Answer = { result?: Record<string, unknown>; error?: { code: number; message: string } };
const call = async (method: string, params: unknown[]): Promise<Answer> => {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return (await response.json()) as Answer;
};
const newPayload = (payload: unknown, beaconRoot: unknown) =>
  call('engine_newPayloadV4', [payload, [], beaconRoot, []]);
const ZERO: Hex = `0x${'00'.repeat(32)}`;
const forkchoice = (head: Hex, safe: Hex = ZERO, finalized: Hex = ZERO, attributes?: unknown) =>
  call('engine_forkchoiceUpdatedV3', [
    { headBlockHash: head, safeBlockHash: safe, finalizedBlockHash: finalized },
    attributes ?? null,
  ]);

describe('the Engine API', () => {
  it.each([
    ['no token', async () => undefined],
    ['another secret', () => token(NOW / 1000, new Uint8Array(32).fill(8))],
    ['another algorithm', () => token(NOW / 1000, new Uint8Array(64).fill(7), 'HS512')],
    ['a token of 61 s ago', () => token(NOW / 1000 - 61)],
    ['a token of 61 s ahead', () => token(NOW / 1000 + 61)],
    ['alg none', async () => `${btoa('{"alg":"none"}')}.${btoa(`{"iat":${NOW / 1000}}`)}.`],
  ])('is closed to %s', async (_what, make) => {
    const bearer = await make();
    const response = await fetch(server.url, {
      method: 'POST',
      headers: bearer ? { authorization: `Bearer ${bearer}` } : {},
      body: '{}',
    });
    expect(response.status).toBe(401);
  });

  it('takes payloads, follows the forkchoice, and has the same chain and log', async () => {
    await sequencer.send(ana, { nonce: 0, to: bo.address, value: 5n });
    const blocks = await sequencer.steps(3);
    for (const block of blocks) {
      const json = toPayloadJson(block);
      const answer = await newPayload(json, block.header.parentBeaconBlockRoot);
      expect(answer.result).toEqual({ status: 'VALID', latestValidHash: block.hash, validationError: null });
      expect(driven.engine.heads.unsafe.number).toBe(block.header.number - 1n);
      expect((await forkchoice(block.hash)).result).toMatchObject({
        payloadStatus: { status: 'VALID' },
        payloadId: null,
      });
    }
    const [first, second, third] = blocks.map(({ hash }) => hash) as [Hex, Hex, Hex];
    await forkchoice(third, second, first);
    expect(driven.engine.heads.safe.hash).toBe(second);
    expect(driven.engine.heads.finalized.hash).toBe(first);
    expect(await driven.engine.eventLog.head()).toEqual(await sequencer.engine.eventLog.head());
  });

  it('refuses a payload whose contents are not what its execution gives, and stays where it is', async () => {
    const block = await sequencer.step();
    const json = toPayloadJson(block);
    const root = block.header.parentBeaconBlockRoot;
    const before = driven.engine.heads.unsafe;
    const lie = await newPayload({ ...json, gasUsed: '0x1' }, root);
    expect(lie.result).toMatchObject({
      status: 'INVALID',
      validationError: expect.stringContaining('blockhash mismatch'),
    });
    const orphan = await newPayload({ ...json, parentHash: ZERO, blockHash: ZERO }, root);
    expect(orphan.result).toMatchObject({ status: 'INVALID' });
    expect((await forkchoice(`0x${'ab'.repeat(32)}`)).result).toMatchObject({ payloadStatus: { status: 'SYNCING' } });
    expect(driven.engine.heads.unsafe).toEqual(before);
    expect((await newPayload(json, root)).result).toMatchObject({ status: 'VALID' });
    await forkchoice(block.hash);
  });

  it('builds a block from attributes, with transactions of its pool behind the forced ones', async () => {
    const parent = await driven.engine.headBlock();
    const { block, deposits } = await preparePayloadAttributes({
      config: driven.engine.config,
      parent,
      origin: driven.l1.genesis,
      l1: driven.l1,
    });
    const hash = await driven.send(bo, { nonce: 0 });
    const attributes = {
      timestamp: `0x${block.timestamp.toString(16)}`,
      prevRandao: block.prevRandao,
      suggestedFeeRecipient: block.feeRecipient,
      withdrawals: [],
      parentBeaconBlockRoot: block.parentBeaconBlockRoot,
      transactions: deposits.map(({ raw }) => raw),
      gasLimit: `0x${block.gasLimit.toString(16)}`,
      eip1559Params: `0x${block.extraData.slice(4, 20)}`,
      minBaseFee: 100_000,
    };
    const { result } = await forkchoice(parent.hash, ZERO, ZERO, attributes);
    const id = result?.payloadId as Hex;
    expect(id).toMatch(/^0x03[0-9a-f]{14}$/);
    const built = (await call('engine_getPayloadV4', [id])).result as {
      executionPayload: { blockHash: Hex; transactions: Hex[] };
      parentBeaconBlockRoot: Hex;
    };
    expect(built.executionPayload.transactions.length).toBe(deposits.length + 1);
    expect((await newPayload(built.executionPayload, built.parentBeaconBlockRoot)).result).toMatchObject({
      status: 'VALID',
    });
    await forkchoice(built.executionPayload.blockHash);
    expect(signedHashes(await driven.engine.headBlock())).toEqual([hash]);
    expect((await call('engine_getPayloadV4', ['0x0000000000000000'])).error).toMatchObject({ code: -38001 });
    expect((await call('engine_getPayloadV3', [id])).error).toMatchObject({ code: -38005 });
    const { gasLimit: _, ...without } = attributes;
    expect((await forkchoice(built.executionPayload.blockHash, ZERO, ZERO, without)).error).toMatchObject({
      code: -38003,
    });
  });

  it('goes back to an ancestor and over to another branch', async () => {
    const head = await driven.engine.headBlock();
    const ancestor = head.header.parentHash;
    await forkchoice(ancestor);
    expect(driven.engine.heads.unsafe.hash).toBe(ancestor);
    const sibling = await driven.step();
    expect(sibling.hash).not.toBe(head.hash);
    await forkchoice(head.hash);
    expect(driven.engine.heads.unsafe.hash).toBe(head.hash);
    expect((await driven.engine.eventLog.head())?.hash).toBe(head.hash);
  });

  it('names a payload as op-geth does: by a hash over what was asked', () => {
    const request = {
      parentHash: ZERO,
      block: { timestamp: 1n, gasLimit: 2n, prevRandao: ZERO, feeRecipient: ana.address, extraData: '0x' as Hex },
      transactions: [],
      noTxPool: false,
      given: {},
    };
    const id = payloadIdOf(3, request);
    expect(id).toMatch(/^0x03/);
    for (const change of [{ noTxPool: true }, { given: { gasLimit: 2n } }, { transactions: ['0x00' as Hex] }]) {
      expect(payloadIdOf(3, { ...request, ...change })).not.toBe(id);
    }
  });
});
