import { type TrainingAction, trainingControlSigner } from '@openledger/client';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Hex } from 'viem';
import type { Job, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import type { TrainingControl } from '../jobs/trainingControl.ts';
import type { EstimateRequest, TrainingEstimates } from '../jobs/trainingEstimates.ts';
import type { TrainingEvents } from '../jobs/trainingEvents.ts';
import { reportOfModel } from '../jobs/trainingReport.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { SignedOnce } from './signedOnce.ts';
import type { Payee } from './x402.ts';

export type TrainingRoutesModules = {
  view: RunnerView;
  store: Pick<ContentStore, 'has' | 'get'>;
  events: TrainingEvents;
  control: TrainingControl;
  estimates: TrainingEstimates;
  payee: Payee;
  /** Unix milliseconds. */
  now(): number;
};

const ACTIONS: readonly TrainingAction[] = ['pause', 'resume', 'cancel'];
const MAX_WATCHERS = 100;

type ById = { Params: { id: string } };

/** Trainings while they run: what can be set, what it would cost, how it goes, and the requester's hand on it. */
export const trainingRoutes = (app: FastifyInstance, modules: TrainingRoutesModules): void => {
  const { view, store, events, control, estimates } = modules;
  const usedNonces = new SignedOnce();
  let watchers = 0;

  app.get('/v1/training/parameters', async () => ({ parameters: await estimates.parameters() }));
  app.post('/v1/training/estimate', async ({ body }) => estimates.estimate(parseEstimate(body)));

  app.get<ById>('/v1/training/jobs/:id', async ({ params }) => {
    const job = findJob(view, params.id);
    return { ...describeJob(job), events: await events.list(job.id) };
  });

  app.get<ById>('/v1/training/jobs/:id/report', async ({ params }, reply) => {
    const job = findJob(view, params.id);
    const [report] = reportOfModel(view.models.get(job.adapterId));
    if (!report || !store.has(report)) throw runnerError('FILE_UNKNOWN', 'this runner has no report of the job');
    // As it was committed to: whoever hashes it finds what stands on chain.
    return reply.type('application/json').send(Buffer.from(await store.get(report)));
  });

  app.get<ById>('/v1/training/jobs/:id/events', async ({ params, raw }, reply) => {
    const job = findJob(view, params.id);
    if (watchers >= MAX_WATCHERS)
      throw runnerError('TOO_MANY_REQUESTS', `${MAX_WATCHERS} already watch trainings here`);
    watchers++;
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    const send = ({ event, data }: { event: string; data: unknown }) =>
      reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    // Listening first: what is told between the two comes twice rather than not at all.
    const stop = events.listen(job.id, send);
    raw.on('close', () => {
      stop();
      watchers--;
    });
    for (const event of await events.list(job.id)) send(event);
  });

  for (const action of ACTIONS) {
    app.post<ById>(`/v1/training/jobs/:id/${action}`, async (request) => {
      const job = findJob(view, request.params.id);
      await authorize(job, action, request, modules, usedNonces);
      await control.act(job.id, action);
      return { job_id: job.id.toString(), action };
    });
  }
};

const findJob = (view: RunnerView, id: string): Job => {
  const job = /^\d{1,20}$/.test(id) ? view.jobs.get(BigInt(id)) : undefined;
  if (!job) throw runnerError('JOB_UNKNOWN', `there is no job ${id.slice(0, 40)}`);
  return job;
};

const describeJob = (job: Job) => ({
  job_id: job.id.toString(),
  status: job.status,
  runner: job.runner ?? null,
  attempt: job.attempt,
  model_id: job.modelId.toString(),
  datanet_id: job.datanetId.toString(),
  datanet_version: job.datanetVersion,
  deadline: Number(job.deadline),
  adapter_id: job.adapterId === 0n ? null : job.adapterId.toString(),
});

/** @throws JOB_CONTROL_UNAUTHORIZED */
const authorize = async (
  job: Job,
  action: TrainingAction,
  { body }: FastifyRequest,
  { payee, now: clock }: TrainingRoutesModules,
  usedNonces: SignedOnce,
): Promise<void> => {
  const refuse = (message: string, cause?: unknown) => runnerError('JOB_CONTROL_UNAUTHORIZED', message, {}, cause);
  const { nonce, deadline, signature } = (body ?? {}) as { nonce?: unknown; deadline?: unknown; signature?: unknown };
  if (typeof nonce !== 'string' || !/^\d{1,78}$/.test(nonce))
    throw refuse('nonce must be a decimal number in a string');
  if (typeof deadline !== 'number' || !Number.isSafeInteger(deadline)) throw refuse('deadline must be unix seconds');
  if (typeof signature !== 'string' || !/^0x[0-9a-f]{130}$/i.test(signature)) throw refuse('signature is malformed');
  const now = BigInt(Math.floor(clock() / 1000));
  const until = BigInt(deadline);
  if (!SignedOnce.isTimely(until, now)) throw refuse('the deadline has passed or is too far away');
  const message = { runner: payee.runner, jobId: job.id, action, nonce: BigInt(nonce), deadline: until };
  const signer = await trainingControlSigner(payee.chainId, message, signature as Hex).catch((cause) => {
    throw refuse('signature is malformed', cause);
  });
  if (signer.toLowerCase() !== job.requester.toLowerCase()) throw refuse('only the requester of a job may do this');
  if (!usedNonces.take(signer, message.nonce, until, now)) throw refuse('this signature was used before');
};

/** @throws REQUEST_INVALID */
const parseEstimate = (body: unknown): EstimateRequest => {
  const { model_id, datanet_id, datanet_version, params } = (body ?? {}) as Record<string, unknown>;
  const id = (value: unknown, name: string): bigint => {
    if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
    throw runnerError('REQUEST_INVALID', `${name} must be a decimal number in a string`);
  };
  if (typeof datanet_version !== 'number' || !Number.isSafeInteger(datanet_version)) {
    throw runnerError('REQUEST_INVALID', 'datanet_version must be an integer');
  }
  if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
    throw runnerError('REQUEST_INVALID', 'params must be an object');
  }
  return {
    modelId: id(model_id, 'model_id'),
    datanetId: id(datanet_id, 'datanet_id'),
    datanetVersion: datanet_version,
    params: (params ?? {}) as Record<string, unknown>,
  };
};
