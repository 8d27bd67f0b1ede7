import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contracts } from '@openledger/client';
import { batchMethods, batchSourceKinds, encodePages, jobsAbi } from '@openledger/contracts';
import { describeError, isOpenLedgerError, type Logger } from '@openledger/kit';
import { bytesToHex, type Hex, parseEventLogs, stringToHex } from 'viem';
import type { Job, RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import { type ContentStore, sha256Of } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { cutReason } from './cutReason.ts';
import { formatName } from './formats.ts';

type Losses = { base_loss_micros: number; model_loss_micros: number; tokens: number };

type TrainResult = {
  weights_sha256: string;
  config_sha256: string;
  output: string;
  steps: number;
  train_tokens: number;
  loss_curve: { step: number; loss: number }[];
  tokens_by_contribution: Record<string, number>;
  domain: Losses;
  general: Losses;
  seconds: number;
};

export type TrainingModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  engine: Engine;
  transactor: Sender;
  workDir: string;
  /** The chain's time, unix milliseconds. */
  now(): number;
  log: Logger;
  /** Aborts when the process ends: the training is called off, and its lease kept for the next process. */
  signal?: AbortSignal;
  onProgress(progress: Record<string, unknown>): void;
};

/** Renewing at a third of the lease survives two lost renewals. */
const RENEW_SHARE = 3;
const LEASE_SECONDS = 300;
/** A suite counts as regressed when the loss rose by more than 5%; forgetting is told, not hidden in noise. */
const REGRESSION_PERCENT = 5;

/**
 * Runs one training job: claim, train, evaluate, commit. Safe to run again at any point: the chain decides by attempt and
 * lease which result counts, and only one does. Returns the adapter's id, or undefined when there was nothing to do.
 */
export const runTraining = async (jobId: bigint, modules: TrainingModules): Promise<bigint | undefined> => {
  const { view, transactor, log } = modules;
  const job = view.jobs.get(jobId);
  if (!job || job.status === 'committed' || job.status === 'refunded') return undefined;
  // Before it is claimed: a claim uses one of the job's few attempts up, and keeps others from it.
  if (job.status === 'requested') checkHere(job, modules);
  const attempt = await claim(job, transactor, modules.now());
  const heartbeat = setInterval(
    () =>
      void renewLease(jobId, attempt, transactor).catch((error) =>
        log.warn({ job: jobId.toString(), reason: describeError(error) }, 'lease not renewed'),
      ),
    (LEASE_SECONDS * 1000) / RENEW_SHARE,
  );
  try {
    const result = await train(job, modules);
    clearInterval(heartbeat);
    return await commit(job, attempt, result, modules);
  } catch (error) {
    if (isOpenLedgerError(error, 'ENGINE_CANCELLED')) throw error;
    clearInterval(heartbeat);
    const permanent = isOpenLedgerError(error) && error.handling === 'reject' && error.code !== 'TRANSACTION_REVERTED';
    if (!isOpenLedgerError(error, 'TRANSACTION_REVERTED')) await giveUp(jobId, attempt, permanent, error, modules);
    if (permanent) return undefined;
    throw error;
  } finally {
    clearInterval(heartbeat);
    await rm(workFolder(job, modules), { recursive: true, force: true });
  }
};

/** @throws JOB_NOT_HERE when this runner lacks what others may have */
const checkHere = (job: Job, { view, store, models }: TrainingModules): void => {
  const missing = view
    .versionFiles(job.datanetId, job.datanetVersion)
    .find((file) => !store.has(file.contentHash.slice(2)));
  if (missing) throw runnerError('JOB_NOT_HERE', `file of contribution ${missing.id} is not in this runner's store`);
  if (view.models.has(job.modelId) && !models.locate(view, job.modelId)) {
    throw runnerError('JOB_NOT_HERE', `model ${job.modelId} is not on this runner`);
  }
};

const claim = async (job: Job, transactor: Sender, nowMs: number): Promise<number> => {
  const ours = job.runner === transactor.address.toLowerCase();
  const now = BigInt(Math.floor(nowMs / 1000));
  if (job.status === 'claimed' && ours && job.leaseUntil > now) {
    // Little may be left of it; and when it is over without the view knowing yet, training would be for nothing.
    await renewLease(job.id, job.attempt, transactor);
    return job.attempt;
  }
  const receipt = await transactor.send({ ...contracts.jobs, functionName: 'claimJob', args: [job.id] });
  const [claimed] = parseEventLogs({ abi: jobsAbi, eventName: 'JobClaimed', logs: receipt.logs });
  if (!claimed) throw runnerError('JOB_SUPERSEDED', `job ${job.id} was not claimed`);
  return claimed.args.attempt;
};

const renewLease = (jobId: bigint, attempt: number, transactor: Sender) =>
  transactor.send({ ...contracts.jobs, functionName: 'renewLease', args: [jobId, attempt] });

const train = async (job: Job, modules: TrainingModules): Promise<TrainResult> => {
  const { view, store, models, engine, onProgress } = modules;
  const files = view.versionFiles(job.datanetId, job.datanetVersion);
  if (files.length === 0) throw runnerError('JOB_IMPOSSIBLE', 'the datanet version has no accepted files');
  const missing = files.find((file) => !store.has(file.contentHash.slice(2)));
  if (missing) throw runnerError('ENGINE_FAILED', `file of contribution ${missing.id} is not in this runner's store`);
  const location = models.locate(view, job.modelId);
  if (!location) throw runnerError('JOB_IMPOSSIBLE', `model ${job.modelId} is not available on this runner`);
  const output = workFolder(job, modules);
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  return engine.request<TrainResult>(
    'train',
    {
      base: location.base,
      ...(location.adapter ? { parent_adapter: location.adapter } : {}),
      files: files.map((file) => ({
        contribution_id: file.id.toString(),
        path: store.path(file.contentHash.slice(2)),
        format: formatName(file.format),
      })),
      heldout_share_bps: 1000,
      params: parseParams(job.params),
      output,
      ...(location.general ? { general_path: location.general } : {}),
    },
    {
      onEvent: ({ event, data }) => event === 'progress' && onProgress(data),
      ...(modules.signal ? { signal: modules.signal } : {}),
    },
  );
};

const workFolder = (job: Job, { workDir }: TrainingModules): string => join(workDir, `job-${job.id}`);

const parseParams = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const { name: _name, ...rest } = value as Record<string, unknown>;
      return rest;
    }
  } catch (cause) {
    throw runnerError('JOB_IMPOSSIBLE', 'the parameters are not JSON', {}, cause);
  }
  throw runnerError('JOB_IMPOSSIBLE', 'the parameters are not a JSON object');
};

const adapterName = (job: Job): string => {
  try {
    const { name } = JSON.parse(job.params) as { name?: unknown };
    if (typeof name === 'string' && name.length > 0 && Buffer.byteLength(name) <= 128) return name;
  } catch {
    // No parameters, no name.
  }
  return `adapter-${job.id}`;
};

const commit = async (job: Job, attempt: number, result: TrainResult, modules: TrainingModules): Promise<bigint> => {
  const { store, models, transactor } = modules;
  const folder = await models.keepAdapter(result.output, result.weights_sha256);
  for (const file of ['adapter_model.safetensors', 'adapter_config.json', 'record.json']) {
    await store.put(await readFile(join(folder, file)));
  }
  const weightsHash: Hex = `0x${result.weights_sha256}`;
  const configHash: Hex = `0x${result.config_sha256}`;
  const report = Buffer.from(
    JSON.stringify({
      job: job.id.toString(),
      domain: result.domain,
      general: result.general,
      loss_curve: result.loss_curve,
    }),
  );
  const reportHash: Hex = `0x${sha256Of(report)}`;
  await store.put(report);
  const evaluation = (suite: string, { base_loss_micros, model_loss_micros, tokens }: Losses) => ({
    suite: stringToHex(suite, { size: 32 }),
    baseLossMicros: BigInt(base_loss_micros),
    modelLossMicros: BigInt(model_loss_micros),
    tokens,
    regressed: model_loss_micros * 100 > base_loss_micros * (100 + REGRESSION_PERCENT),
    reportHash,
  });
  const receipt = await transactor.send({
    ...contracts.jobs,
    functionName: 'commitTraining',
    args: [
      job.id,
      attempt,
      {
        weightsHash,
        configHash,
        name: adapterName(job),
        evaluations: [evaluation('domain', result.domain), evaluation('general', result.general)],
      },
      trainingPages(job, weightsHash, configHash, result),
    ],
  });
  const [committed] = parseEventLogs({ abi: jobsAbi, eventName: 'JobCommitted', logs: receipt.logs });
  if (!committed) throw runnerError('JOB_SUPERSEDED', `job ${job.id} was not committed`);
  return committed.args.modelId;
};

/** Rows of one output: what a dispute about it can look up on chain; one with more is not paid (docs/spec/rewards-ledger.md). */
const ROWS_PER_OUTPUT = 512;

/**
 * The adapter as an output, attributed to the contributions by the tokens that were trained on. One with very many
 * contributions is written as several outputs that share the fee by their tokens.
 */
const trainingPages = (job: Job, weightsHash: Hex, configHash: Hex, result: TrainResult): Hex[] => {
  const rows = Object.entries(result.tokens_by_contribution)
    .map(([id, tokens]) => ({ contributionId: BigInt(id), weight: BigInt(tokens) }))
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
  const parts = Math.max(1, Math.ceil(rows.length / ROWS_PER_OUTPUT));
  const outputs = Array.from({ length: parts }, (_, part) => {
    const own = rows.slice(part * ROWS_PER_OUTPUT, (part + 1) * ROWS_PER_OUTPUT);
    return {
      modelId: job.modelId,
      sourceKind: batchSourceKinds.trainingJob,
      sourceId: job.id,
      promptHash: configHash,
      outputHash: weightsHash,
      promptTokens: 0,
      outputTokens: part === 0 ? result.train_tokens : 0,
      feeWeight: own.reduce((sum, { weight }) => sum + weight, 0n) || 1n,
      method: batchMethods.trainingTokens,
      nonce: BigInt(part),
      rows: own,
    };
  });
  return encodePages(outputs).map((page) => bytesToHex(page));
};

const giveUp = async (jobId: bigint, attempt: number, permanent: boolean, error: unknown, modules: TrainingModules) => {
  const reason = cutReason(describeError(error));
  modules.log.warn({ job: jobId.toString(), attempt, permanent, reason }, 'training failed');
  await modules.transactor
    .send({ ...contracts.jobs, functionName: 'failJob', args: [jobId, attempt, permanent, reason] })
    .catch((failure) => modules.log.warn({ reason: describeError(failure) }, 'failure not recorded on chain'));
};
