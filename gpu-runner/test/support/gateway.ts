import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePayment, networkOf, paymentSchemes, signVoucher, type Voucher } from '@openledger/client';
import { createMetrics, silentLogger } from '@openledger/kit';
import type { RunnerView } from '../../src/chain/runnerView.ts';
import { ApiKeys } from '../../src/gateway/apiKeys.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { Inference } from '../../src/gateway/inference.ts';
import { Payments } from '../../src/gateway/payments.ts';
import type { RunnerDatabase } from '../../src/queue/database.ts';
import { EngineGenerator } from '../../src/serving/engineGenerator.ts';
import { ContentStore, sha256Of } from '../../src/store/contentStore.ts';
import { ModelLocator } from '../../src/store/modelLocator.ts';
import {
  accepted,
  adapterRegistered,
  baseRegistered,
  CHAIN_ID,
  channelOpened,
  deployed,
  event,
  low,
  payer,
  published,
  runner,
  submitted,
  viewOf,
} from './chainEvents.ts';
import { tempFolder } from './database.ts';
import { type EngineScript, ScriptedEngine } from './scriptedEngine.ts';

export const NOW = 1_800_000_000_000;
export const BASE = sha256Of(Buffer.from('base weights'));
export const ADAPTER = sha256Of(Buffer.from('adapter weights'));
export const generated = {
  text: 'Hello',
  finish_reason: 'stop',
  prompt_tokens: 10,
  completion_tokens: 20,
  prompt_sha256: sha256Of(Buffer.from('prompt')),
  output_sha256: sha256Of(Buffer.from('Hello')),
  output_token_ids: [7, 8],
};

export const goodEngine = (): EngineScript => ({
  load_base: () => ({ base: BASE, numerics: 'cpu-float32', context_length: 512 }),
  load_adapter: () => ({ rank: 8 }),
  unload_adapter: () => ({}),
  index_corpus: () => ({ root: 'r' }),
  generate: (_params, { onEvent }) => {
    for (const text of ['Hel', 'lo']) onEvent?.({ event: 'token', data: { text } });
    return generated;
  },
  attribute: () => ({
    rows: [
      { contribution_id: '10', weight: 3n * 2n ** 60n },
      { contribution_id: '9', weight: 2n ** 60n },
      { contribution_id: '11', weight: 0 },
    ],
  }),
});

export type World = {
  url: string;
  view: RunnerView;
  engine: ScriptedEngine;
  inference: Inference;
  store: ContentStore;
  reasons: string[];
  apiKeys: ApiKeys;
  /** What the quotas go by, unix milliseconds. */
  clock: { now: number };
  pay(cumulativeAmount: bigint): Promise<Record<string, string>>;
  post(path: string, body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  close(): Promise<void>;
};

/** A voucher as version 1 of x402 sends it. */
export const paymentHeader = (voucher: Voucher): Record<string, string> => ({
  'x-payment': encodePayment({ scheme: paymentSchemes.channel, network: networkOf(CHAIN_ID), voucher }),
});

/** A gateway over HTTP that serves a base (model-1) and an adapter on it (model-2, trained on one datanet version). */
export const startWorld = async (database: RunnerDatabase): Promise<World> => {
  const root = tempFolder();
  const clock = { now: NOW };
  for (const folder of ['base', 'files', `adapters/${ADAPTER}`]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'base', 'model.safetensors'), 'base weights');
  const store = new ContentStore(join(root, 'files'));
  const view = viewOf(
    baseRegistered(1n, `0x${BASE}`, 'base'),
    submitted(9n),
    accepted(9n, 0),
    published(1),
    adapterRegistered(2n, 1n, `0x${ADAPTER}`, 'poet'),
    deployed(1n, 1_000n, 2_000n),
    deployed(2n, 1_000n, 2_000n),
    channelOpened(1n, 1_000_000n),
    event('ChannelOpened', { channelId: 2n, payer: low(runner.address), runner: low(runner.address), deposit: 200n }),
  );
  const engine = new ScriptedEngine(goodEngine());
  const apiKeys = new ApiKeys({ database, now: () => clock.now });
  const inference = new Inference({
    view,
    store,
    engine,
    generator: new EngineGenerator(engine),
    database,
    models: await ModelLocator.open(join(root, 'adapters'), [join(root, 'base')]),
    payments: new Payments({
      database,
      view,
      runner: runner.address,
      chainId: CHAIN_ID,
      now: () => NOW,
      operator: { channelId: 2n, account: runner },
    }),
    apiKeys,
    account: runner,
    chainId: CHAIN_ID,
    indexDir: join(root, 'indexes'),
    log: silentLogger,
  });
  const reasons: string[] = [];
  const gateway = await startGateway({
    inference,
    store,
    database,
    payee: { chainId: CHAIN_ID, runner: runner.address },
    host: '127.0.0.1',
    port: 0,
    now: () => NOW,
    readiness: () => reasons,
    log: silentLogger,
    metrics: createMetrics('test'),
  });
  return {
    url: gateway.url,
    view,
    engine,
    inference,
    store,
    reasons,
    apiKeys,
    clock,
    pay: async (cumulativeAmount) =>
      paymentHeader(await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount })),
    post: (path, body, headers = {}, signal) =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(signal ? { signal } : {}),
      }),
    close: async () => {
      await gateway.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
