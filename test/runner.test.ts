import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningRunner, startRunner, withKeyAdmin } from '@openledger/gpu-runner';
import { silentLogger } from '@openledger/kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFakeEngine } from '../gpu-runner/test/support/fakeEngine.ts';
import { startTestServer, type TestServer } from '../node/test/support/testServer.ts';
import { bo } from '../node/test/support/wallets.ts';

const engine = makeFakeEngine();
const root = mkdtempSync(join(tmpdir(), 'openledger-runner-'));
let node: TestServer;
let runner: RunningRunner;

/** The whole process as the command composes it; only the engine's program is a fake. */
const start = () =>
  startRunner(
    {
      ...{ dataDir: join(root, 'data'), nodeUrl: node.url, chain: node.viemChain, account: bo },
      ...{ host: '127.0.0.1', port: 0, baseModels: [join(root, 'base')], python: engine.path, engineDir: root },
      ...{ settleIntervalMs: 60_000, clockOffsetMs: 0, trainingPrice: 1n, engineMemoryBytes: 0 },
    },
    { log: silentLogger },
  );

beforeAll(async () => {
  mkdirSync(join(root, 'base'));
  writeFileSync(join(root, 'base', 'model.safetensors'), 'weights');
  node = await startTestServer();
  await node.chain.steps(2);
  runner = await start();
});
afterAll(async () => {
  await runner?.close();
  await node?.close();
  engine.remove();
  rmSync(root, { recursive: true, force: true });
});

it('a runner serves, takes an operator’s commands, and keeps a second one out', async () => {
  expect(await (await fetch(`${runner.url}/v1/models`)).json()).toEqual({ object: 'list', data: [] });
  await expect(start()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
  const quota = { requestsPerMinute: 1, tokensPerDay: 1 };
  const dataDir = join(root, 'data');
  const { id } = await withKeyAdmin({ dataDir }, (keys) => keys.add({ name: 'app', ...quota }));
  expect((await withKeyAdmin({ dataDir }, (keys) => keys.list())).map((key) => key.id)).toEqual([id]);
  await runner.close();
  runner = await start();
  expect((await withKeyAdmin({ dataDir }, (keys) => keys.list())).map((key) => key.id)).toEqual([id]);
});
