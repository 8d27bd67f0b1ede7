import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@openledger/kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runnerError } from '../src/errors.ts';
import { type FleetAnswer, fleetTrainer, openFleetQueue } from '../src/jobs/fleetTrainer.ts';
import { localTrainer } from '../src/jobs/localTrainer.ts';
import type { TrainingEvent, TrainingWork } from '../src/jobs/training.ts';
import { openSharedBackend, type QueueBackend } from '../src/queue/backend.ts';
import type { TaskHandler } from '../src/queue/taskQueue.ts';
import { ContentStore, sha256Of } from '../src/store/contentStore.ts';
import { startFleetServer } from '../src/store/fleetServer.ts';
import { FleetStore } from '../src/store/fleetStore.ts';
import { ModelLocator } from '../src/store/modelLocator.ts';
import { tempFolder } from './support/database.ts';
import { hasPostgres, POSTGRES } from './support/postgres.ts';
import { hasRedis, REDIS } from './support/redis.ts';
import { engineError, ScriptedEngine } from './support/scriptedEngine.ts';

const TOKEN = 'a token that is long enough for a fleet';
const hashOfText = (text: string) => sha256Of(Buffer.from(text));
const BASE = hashOfText('base weights');

const suite = (kind: string, enabled: boolean, url: string) =>
  describe.skipIf(!enabled)(`a runner and its worker over ${kind}`, () => {
    let backend: QueueBackend;
    let root: string;
    let store: ContentStore;
    let workerStore: FleetStore;
    let engine: ScriptedEngine;
    let models: ModelLocator;
    let work: TrainingWork;
    let number = 0;
    const closing: (() => Promise<void> | void)[] = [];

    beforeAll(async () => {
      backend = await openSharedBackend(url);
    });
    afterAll(() => backend.close());
    beforeEach(async () => {
      root = tempFolder();
      for (const name of ['files', 'base', 'worker']) mkdirSync(join(root, name));
      writeFileSync(join(root, 'base', 'model.safetensors'), 'base weights');
      store = new ContentStore(join(root, 'files'));
      const server = await startFleetServer({ store, token: TOKEN, host: '127.0.0.1', port: 0, log: silentLogger });
      closing.push(server.close);
      workerStore = new FleetStore(join(root, 'worker', 'files'), { url: server.url, token: TOKEN });
      models = await ModelLocator.open(join(root, 'worker', 'adapters'), [join(root, 'base')]);
      engine = new ScriptedEngine({
        train: ({ output }, { onEvent }) => {
          writeFileSync(join(String(output), 'adapter_model.safetensors'), 'trained');
          writeFileSync(join(String(output), 'adapter_config.json'), '{}');
          writeFileSync(join(String(output), 'record.json'), '{"record":1}');
          for (let step = 1; step <= 20; step++) onEvent?.({ event: 'progress', data: { step } });
          return { weights_sha256: hashOfText('trained'), config_sha256: hashOfText('{"record":1}'), steps: 20 };
        },
      });
      const sha256 = await store.put(Buffer.from('a contribution'));
      work = {
        id: `test-${Date.now()}-${number++}`,
        base: BASE,
        files: [{ contributionId: '9', sha256, format: 'txt' }],
        params: { rank: 4 },
      };
    });
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
      rmSync(root, { recursive: true, force: true });
    });

    const startWorker = async () => {
      const train = localTrainer({ store: workerStore, models, engine, workDir: join(root, 'worker', 'work') });
      const handler: TaskHandler<TrainingWork, FleetAnswer> = async (taken, { signal, report }) => {
        try {
          return { outcome: await train(taken, { signal, onEvent: (event) => report({ ...event }) }) };
        } catch (error) {
          const { code, message } = error as { code: string; message: string };
          if (code !== 'ENGINE_REFUSED') throw error;
          return { refused: { code, message } };
        }
      };
      const queue = await openFleetQueue({ backend, handler, log: silentLogger });
      closing.push(() => queue.close({ force: true }));
    };
    const startTrainer = async () => {
      const queue = await openFleetQueue({ backend, log: silentLogger });
      closing.push(async () => {
        await queue.forget(work);
        await queue.close();
      });
      return fleetTrainer(queue, 20);
    };

    it('gives the worker what it needs, and gets back the adapter and every event', async () => {
      const parent = {
        weights: await store.put(Buffer.from('parent weights')),
        config: await store.put(Buffer.from('{"r":8}')),
        record: await store.put(Buffer.from('{"record":0}')),
      };
      await startWorker();
      const train = await startTrainer();
      const events: TrainingEvent[] = [];
      const { result, adapter } = await train({ ...work, parent }, { onEvent: (event) => events.push(event) });
      expect(result.steps).toBe(20);
      expect(Buffer.from(await store.get(adapter.weights)).toString()).toBe('trained');
      expect(store.has(adapter.config) && store.has(adapter.record)).toBe(true);
      expect(events.map(({ data }) => data.step)).toEqual([...Array(20).keys()].map((i) => i + 1));
      expect(engine.asked('train')[0]).toMatchObject({
        base: join(root, 'base'),
        params: { rank: 4 },
        parent_adapter: expect.stringContaining(join(root, 'worker')),
        files: [{ contribution_id: '9', format: 'txt' }],
      });
    });

    it('does the same work once, although a runner that was killed asks for it again', async () => {
      await startWorker();
      const [first, second] = [await startTrainer(), await startTrainer()];
      const outcome = await first(work, { onEvent: () => {} });
      expect(await second(work, { onEvent: () => {} })).toEqual(outcome);
      expect(engine.calls).toHaveLength(1);
    });

    it('goes on in the worker when the runner leaves, and stops when it is called off', async () => {
      let stop = () => {};
      let began = () => {};
      const started = new Promise<void>((resolve) => {
        began = resolve;
      });
      engine.script.train = (_params, { signal }) =>
        new Promise((_resolve, reject) => {
          stop = () => reject(runnerError('ENGINE_CANCELLED', 'called off'));
          signal?.addEventListener('abort', stop);
          began();
        });
      await startWorker();
      const train = await startTrainer();
      const leaving = new AbortController();
      const left = train(work, { leaving: leaving.signal, onEvent: () => {} });
      await started;
      leaving.abort();
      await expect(left).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' });
      const signal = new AbortController();
      const called = train(work, { signal: signal.signal, onEvent: () => {} });
      signal.abort();
      await expect(called).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' });
      expect(engine.calls).toHaveLength(1);
    });

    it('is told why work can’t be done, and no worker tries it again', async () => {
      engine.script.train = () => {
        throw engineError('bad_params', 'rank must be 1 to 256');
      };
      await startWorker();
      const train = await startTrainer();
      await expect(train(work, { onEvent: () => {} })).rejects.toMatchObject({
        code: 'ENGINE_REFUSED',
        message: 'rank must be 1 to 256',
      });
      expect(engine.calls).toHaveLength(1);
    });

    it('keeps its files from whoever has not the token, and takes none under a wrong hash', async () => {
      const server = await startFleetServer({ store, token: TOKEN, host: '127.0.0.1', port: 0, log: silentLogger });
      closing.push(server.close);
      const known = work.files[0]?.sha256 ?? '';
      const ask = (path: string, init: RequestInit = {}, token = TOKEN) =>
        fetch(`${server.url}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
      const put = (hash: string, body: string, token?: string) =>
        ask(`/files/${hash}`, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } }, token);
      expect((await ask(`/files/${known}`)).status).toBe(200);
      expect((await ask(`/files/${known}`, {}, 'other')).status).toBe(401);
      expect((await put(hashOfText('x'), 'x', 'other')).status).toBe(401);
      expect((await put(hashOfText('x'), 'y')).status).toBe(422);
      expect((await ask(`/files/${hashOfText('x')}`)).status).toBe(404);
      expect((await ask('/files/..%2F..%2Fetc%2Fpasswd')).status).toBe(404);
      expect((await put(hashOfText('x'), 'x')).status).toBe(200);
      expect(store.has(hashOfText('x'))).toBe(true);
      const weak = startFleetServer({ store, token: 'short', host: '127.0.0.1', port: 0, log: silentLogger });
      await expect(weak).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });

suite('Redis', await hasRedis(), REDIS);
suite('PostgreSQL', await hasPostgres(), POSTGRES);
