import { controlTraining, trainingControlSigner } from '@openledger/client';
import { createMetrics, silentLogger } from '@openledger/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { type GatewayOptions, startGateway } from '../src/gateway/gateway.ts';
import { trainingRoutes } from '../src/gateway/trainingRoutes.ts';
import type { JobQueue, Task } from '../src/jobs/jobQueue.ts';
import { LeaseKeeper } from '../src/jobs/leaseKeeper.ts';
import { PausedJobs } from '../src/jobs/pausedJobs.ts';
import { TrainingControl } from '../src/jobs/trainingControl.ts';
import { TrainingEstimates } from '../src/jobs/trainingEstimates.ts';
import { TrainingEvents } from '../src/jobs/trainingEvents.ts';
import { sha256Of } from '../src/store/contentStore.ts';
import {
  accepted,
  adapterRegistered,
  baseRegistered,
  CHAIN_ID,
  claimed,
  committed,
  hashOf,
  payer,
  published,
  requested,
  runner,
  stranger,
  submitted,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { ScriptedEngine } from './support/scriptedEngine.ts';
import { reverted, ScriptedSender } from './support/scriptedSender.ts';

const NOW = 1_800_000_000n;
const REPORT = Buffer.from('{"job":"1"}');
const database = useDatabase();

/** A queue whose running task stops some looks after it was called off. */
class StoppingQueue {
  readonly calls: string[] = [];
  looks = 0;
  async add({ id }: Task): Promise<void> {
    this.calls.push(`add ${id}`);
  }
  async cancel({ id }: Task): Promise<void> {
    this.calls.push(`cancel ${id}`);
    this.looks = 2;
  }
  async state(): ReturnType<JobQueue['state']> {
    return { kind: this.looks-- > 0 ? 'running' : 'unknown' };
  }
}

describe('training routes', () => {
  let view: RunnerView;
  let queue: StoppingQueue;
  let sender: ScriptedSender;
  let engine: ScriptedEngine;
  let paused: PausedJobs;
  let leases: LeaseKeeper;
  let events: TrainingEvents;
  let url: string;
  let close: () => Promise<void>;

  beforeEach(async () => {
    await database().query('TRUNCATE runner.training_events, runner.paused_jobs');
    view = viewOf(
      baseRegistered(1n, hashOf('base')),
      submitted(9n),
      accepted(9n, 0),
      published(1),
      requested(1n),
      claimed(1n, 1, NOW + 300n),
      requested(2n),
      claimed(2n, 1, NOW + 300n, stranger.address),
    );
    queue = new StoppingQueue();
    sender = new ScriptedSender({});
    engine = new ScriptedEngine({
      hello: () => ({ train_params: [{ name: 'rank', default: 8 }] }),
      estimate: () => ({ seconds: 7_199.5, steps: 10 }),
    });
    paused = new PausedJobs(database());
    leases = new LeaseKeeper({ transactor: sender, log: silentLogger });
    events = new TrainingEvents({ database: database(), log: silentLogger });
    const models = { locate: (_view: unknown, id: bigint) => (id === 1n ? { base: '/base' } : undefined) };
    const store = {
      ensure: async () => {},
      path: (hash: string) => `/files/${hash}`,
      has: (hash: string) => hash === sha256Of(REPORT),
      get: async () => REPORT,
    };
    const payee = { chainId: CHAIN_ID, runner: runner.address };
    const gateway = await startGateway({
      ...({ inference: {}, store: {}, database: database() } as unknown as GatewayOptions),
      payee,
      host: '127.0.0.1',
      port: 0,
      now: Date.now,
      readiness: () => [],
      log: silentLogger,
      metrics: createMetrics('test'),
      routes: (app) =>
        trainingRoutes(app, {
          view,
          store,
          events,
          control: new TrainingControl({ view, queue, paused, leases, transactor: sender, log: silentLogger }),
          estimates: new TrainingEstimates({ view, engine, models: models as never, store: store as never }, 10n),
          payee,
          now: Date.now,
        }),
    });
    url = gateway.url;
    close = gateway.close;
  });
  afterEach(async () => {
    vi.useRealTimers();
    leases.close();
    await events.flush();
    await close();
  });

  const control = (action: 'pause' | 'resume' | 'cancel', account = payer, jobId = 1n) =>
    controlTraining({ url, account, chainId: CHAIN_ID, runner: runner.address, jobId, action });
  const post = (path: string, body: unknown) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('hands out the report that a training was committed with, to the byte', async () => {
    const report = () => fetch(`${url}/v1/training/jobs/1/report`);
    expect((await report()).status).toBe(404);
    tell(view, adapterRegistered(7n, 1n, hashOf('weights')), ...committed(1n, 7n, `0x${sha256Of(REPORT)}`));
    expect(Buffer.from(await (await report()).arrayBuffer())).toEqual(REPORT);
    expect((await fetch(`${url}/v1/training/jobs/2/report`)).status).toBe(404);
  });

  it('tells what can be set, and what a training would take', async () => {
    expect(await (await fetch(`${url}/v1/training/parameters`)).json()).toEqual({
      parameters: [{ name: 'rank', default: 8 }],
    });
    const request = { model_id: '1', datanet_id: '1', datanet_version: 1, params: { rank: 4 } };
    const estimate = { seconds: 7_199.5, steps: 10, suggested_fee: '72000' };
    expect(await (await post('/v1/training/estimate', request)).json()).toEqual(estimate);
    expect(await (await post('/v1/training/estimate', request)).json()).toEqual(estimate);
    expect(engine.asked('estimate')).toMatchObject([
      { base: '/base', params: { rank: 4 }, files: [{ contribution_id: '9' }] },
    ]);
    expect((await post('/v1/training/estimate', { ...request, model_id: '5' })).status).toBe(404);
    expect((await post('/v1/training/estimate', { ...request, datanet_version: 2 })).status).toBe(404);
    for (const wrong of [{ model_id: 1 }, { datanet_version: 'x' }, { params: [] }]) {
      expect((await post('/v1/training/estimate', { ...request, ...wrong })).status).toBe(400);
    }
  });

  it('tells how a training goes, from its start and live, each step once after a resume', async () => {
    for (const step of [1, 2, 3, 2, 3]) events.record(1n, { event: 'progress', data: { step, loss: 1 / step } });
    events.record(1n, { event: 'warning', data: { code: 'few_rows', message: 'few' } });
    const told = (await (await fetch(`${url}/v1/training/jobs/1`)).json()) as {
      status: string;
      events: { step: number }[];
    };
    expect(told).toMatchObject({ job_id: '1', status: 'claimed', attempt: 1, adapter_id: null });
    expect(told.events.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    const stream = await fetch(`${url}/v1/training/jobs/1/events`);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const readUntil = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? '';
    };
    await readUntil('"step":3');
    events.record(1n, { event: 'progress', data: { step: 4, loss: 0.25 } });
    await readUntil('"step":4');
    expect(text).toContain('event: warning\ndata: {"code":"few_rows","message":"few"}\n\n');
    await reader?.cancel();
    expect((await fetch(`${url}/v1/training/jobs/77`)).status).toBe(404);
    expect((await fetch(`${url}/v1/training/jobs/1e3`)).status).toBe(404);
  });

  it('lets the requester pause and resume, and waits until the training has stopped', async () => {
    await control('pause');
    expect(queue.calls).toEqual(['cancel 1']);
    expect(await paused.has(1n)).toBe(true);
    expect(queue.looks).toBe(-1);
    await control('pause');
    await control('resume');
    expect(queue.calls).toEqual(['cancel 1', 'cancel 1', 'add 1']);
    expect(await paused.has(1n)).toBe(false);
    expect(sender.calls).toEqual([]);
  });

  it('lets the requester cancel, which pays the fee back on chain', async () => {
    await control('pause');
    await control('cancel');
    expect(sender.sent('failJob')).toEqual([[1n, 1, true, 'called off by its requester']]);
    expect(await paused.has(1n)).toBe(false);
    sender.answers.failJob = () => {
      throw reverted('WrongStatus');
    };
    await expect(control('cancel')).rejects.toMatchObject({ cause: { code: 'job_not_held' } });
  });

  it('takes orders from the requester alone, for jobs that are here, once each', async () => {
    await expect(control('cancel', stranger)).rejects.toMatchObject({ cause: { code: 'job_control_unauthorized' } });
    await expect(control('pause', payer, 2n)).rejects.toMatchObject({ cause: { code: 'job_not_held' } });
    await expect(control('pause', payer, 3n)).rejects.toMatchObject({ cause: { code: 'job_unknown' } });
    const sent = vi.spyOn(globalThis, 'fetch');
    await control('pause');
    const body = String(sent.mock.calls[0]?.[1]?.body);
    sent.mockRestore();
    const again = JSON.parse(body) as { nonce: string; deadline: number; signature: `0x${string}` };
    const message = {
      runner: runner.address,
      jobId: 1n,
      action: 'pause',
      nonce: BigInt(again.nonce),
      deadline: BigInt(again.deadline),
    };
    expect(await trainingControlSigner(CHAIN_ID, message, again.signature)).toBe(payer.address);
    expect((await post('/v1/training/jobs/1/pause', again)).status).toBe(401);
    expect((await post('/v1/training/jobs/1/cancel', again)).status).toBe(401);
    for (const wrong of [
      { nonce: 5 },
      { deadline: 'x' },
      { deadline: 1 },
      { deadline: again.deadline + 90_000 },
      { signature: '0x' },
      { signature: `0x${'00'.repeat(65)}` },
    ]) {
      const refused = await post('/v1/training/jobs/1/resume', { ...again, ...wrong });
      expect([wrong, refused.status]).toEqual([wrong, 401]);
    }
    expect(queue.calls).toEqual(['cancel 1']);
  });

  it('goes on holding the lease of what is paused', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    leases.hold(1n, 1);
    await control('pause');
    vi.advanceTimersByTime(300_000);
    expect(sender.sent('renewLease')).toHaveLength(3);
    await control('cancel');
    vi.advanceTimersByTime(300_000);
    expect(sender.sent('renewLease')).toHaveLength(3);
    tell(view, claimed(1n, 2, NOW + 900n, stranger.address));
    await expect(control('resume')).rejects.toMatchObject({ cause: { code: 'job_not_held' } });
  });
});
