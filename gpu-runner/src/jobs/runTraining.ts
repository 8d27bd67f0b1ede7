import { contracts } from '@openledger/client';
import { jobsAbi } from '@openledger/contracts';
import { describeError, isOpenLedgerError, type Logger } from '@openledger/kit';
import { parseEventLogs } from 'viem';
import type { Transcripts } from '../audit/transcripts.ts';
import type { Job, RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import { runnerError } from '../errors.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { commitTraining } from './commitTraining.ts';
import { cutReason } from './cutReason.ts';
import { formatName } from './formats.ts';
import { trainingParams } from './jobParams.ts';
import type { LeaseKeeper } from './leaseKeeper.ts';
import { storeAdapter } from './localTrainer.ts';
import type { PausedJobs } from './pausedJobs.ts';
import type { Trainer, TrainingEvent, TrainingWork } from './training.ts';

export type TrainingModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  trainer: Trainer;
  transactor: Sender;
  transcripts: Pick<Transcripts, 'keepTraining'>;
  leases: LeaseKeeper;
  paused: Pick<PausedJobs, 'has'>;
  /** Distinguishes this chain's and this runner's work from that of others who use the same machines. */
  workPrefix: string;
  /** The chain's time, unix milliseconds. */
  now(): number;
  log: Logger;
  /** Aborts when the training is called off; its lease is kept for when it is wanted again. */
  signal?: AbortSignal;
  /** Aborts when the process ends; its lease is kept for the next process. */
  leaving?: AbortSignal;
  onEvent(event: TrainingEvent): void;
};

/**
 * Runs one training job: claim, train, evaluate, commit. Safe to run again at any point: the chain decides by attempt and
 * lease which result counts, and only one does. A failure that may pass keeps the lease, for the next try to go on from the
 * last checkpoint. Returns the adapter's id, or undefined when there was nothing to do.
 */
export const runTraining = async (jobId: bigint, modules: TrainingModules): Promise<bigint | undefined> => {
  const { view, leases, paused, trainer, signal, leaving, onEvent } = modules;
  const job = view.jobs.get(jobId);
  if (!job || job.status === 'committed' || job.status === 'refunded') return undefined;
  // Before it is claimed: a claim uses one of the job's few attempts up, and keeps others from it.
  if (job.status === 'requested') checkHere(job, modules);
  const attempt = await claim(job, modules);
  leases.hold(jobId, attempt);
  if (await paused.has(jobId)) return undefined;
  try {
    const work = await workOf(job, `${modules.workPrefix}-${job.id}`, modules);
    const outcome = await trainer(work, { onEvent, ...(signal ? { signal } : {}), ...(leaving ? { leaving } : {}) });
    const parent = work.parent ? { parent: work.parent } : {};
    const adapterId = await commitTraining(job, attempt, outcome, { ...modules, ...parent });
    leases.release(jobId);
    return adapterId;
  } catch (error) {
    const final = isOpenLedgerError(error) && error.handling === 'reject';
    if (!final) throw error;
    leases.release(jobId);
    // The chain has given the job to another one, or it is over; but the same adapter once more will never be taken.
    if (error.code === 'TRANSACTION_REVERTED' && error.meta.error !== 'WeightsTaken') throw error;
    await failTraining(jobId, attempt, true, error, modules);
    return undefined;
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

const claim = async (job: Job, { transactor, leases, now }: TrainingModules): Promise<number> => {
  const ours = job.runner === transactor.address.toLowerCase();
  if (job.status === 'claimed' && ours && job.leaseUntil > BigInt(Math.floor(now() / 1000))) {
    // Little may be left of it; and when it is over without the view knowing yet, training would be for nothing.
    const renewed = await leases.renew(job.id, job.attempt).catch((error) => {
      if (!isOpenLedgerError(error, 'TRANSACTION_REVERTED')) throw error;
      return undefined;
    });
    if (renewed) return job.attempt;
  }
  const receipt = await transactor.send({ ...contracts.jobs, functionName: 'claimJob', args: [job.id] });
  const [claimed] = parseEventLogs({ abi: jobsAbi, eventName: 'JobClaimed', logs: receipt.logs });
  if (!claimed) throw runnerError('JOB_SUPERSEDED', `job ${job.id} was not claimed`);
  return claimed.args.attempt;
};

/** What a job asks for, as work; `id` names the folder of its checkpoints. @throws JOB_IMPOSSIBLE, JOB_NOT_HERE */
export const workOf = async (
  job: Job,
  id: string,
  { view, store, models }: Pick<TrainingModules, 'view' | 'store' | 'models'>,
): Promise<TrainingWork> => {
  const files = view.versionFiles(job.datanetId, job.datanetVersion);
  if (files.length === 0) throw runnerError('JOB_IMPOSSIBLE', 'the datanet version has no accepted files');
  const missing = files.find((file) => !store.has(file.contentHash.slice(2)));
  if (missing) throw runnerError('JOB_NOT_HERE', `file of contribution ${missing.id} is not in this runner's store`);
  const location = models.locate(view, job.modelId);
  const base = view.baseOf(job.modelId);
  if (!location || !base) throw runnerError('JOB_IMPOSSIBLE', `model ${job.modelId} is not available on this runner`);
  return {
    id,
    base: base.weightsHash.slice(2),
    ...(location.adapter ? { parent: await storeAdapter(location.adapter, store) } : {}),
    files: files.map((file) => ({
      contributionId: file.id.toString(),
      sha256: file.contentHash.slice(2),
      format: formatName(file.format),
    })),
    params: trainingParams(job),
  };
};

/** Tells the chain that this runner can't do a job: `permanent` pays it back, otherwise others may try. */
export const failTraining = async (
  jobId: bigint,
  attempt: number,
  permanent: boolean,
  error: unknown,
  { transactor, log }: Pick<TrainingModules, 'transactor' | 'log'>,
): Promise<void> => {
  const reason = cutReason(describeError(error));
  log.warn({ job: jobId.toString(), attempt, permanent, reason }, 'training failed');
  await transactor
    .send({ ...contracts.jobs, functionName: 'failJob', args: [jobId, attempt, permanent, reason] })
    .catch((failure) => log.warn({ reason: describeError(failure) }, 'failure not recorded on chain'));
};
