import { contracts, type TrainingAction } from '@openledger/client';
import { describeError, isOpenLedgerError, type Logger, sleep } from '@openledger/kit';
import type { Job, RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import { runnerError } from '../errors.ts';
import { type JobQueue, type Task, trainingPriority } from './jobQueue.ts';
import type { LeaseKeeper } from './leaseKeeper.ts';
import type { PausedJobs } from './pausedJobs.ts';

export type TrainingControlModules = {
  view: RunnerView;
  queue: Pick<JobQueue, 'add' | 'cancel' | 'state'>;
  paused: PausedJobs;
  leases: LeaseKeeper;
  transactor: Sender;
  log: Logger;
};

/** How long a training may take to write its checkpoint and stop. */
const STOP_MS = 60_000;
const POLL_MS = 100;

/** What a requester may do with a training that this runner holds. Each action is safe to repeat. */
export class TrainingControl {
  readonly #modules: TrainingControlModules;

  constructor(modules: TrainingControlModules) {
    this.#modules = modules;
  }

  /** @throws JOB_UNKNOWN, JOB_NOT_HELD, JOB_STOPPING */
  async act(jobId: bigint, action: TrainingAction): Promise<void> {
    const job = this.#held(jobId);
    if (action === 'pause') await this.#pause(job);
    else if (action === 'resume') await this.#resume(job);
    else await this.#cancel(job);
  }

  #held(jobId: bigint): Job {
    const { view, transactor } = this.#modules;
    const job = view.jobs.get(jobId);
    if (!job) throw runnerError('JOB_UNKNOWN', `there is no job ${jobId}`);
    if (job.status === 'claimed' && job.runner === transactor.address.toLowerCase()) return job;
    throw runnerError('JOB_NOT_HELD', `this runner doesn't hold job ${jobId}; it is ${job.status}`);
  }

  async #pause(job: Job): Promise<void> {
    const { paused, queue } = this.#modules;
    // In this order: should we die in between, the next process finds it paused.
    await paused.add(job.id);
    await queue.cancel(taskOf(job));
    await this.#stopped(job);
  }

  async #resume(job: Job): Promise<void> {
    const { paused, queue } = this.#modules;
    await this.#stopped(job);
    await paused.remove(job.id);
    await queue.add(taskOf(job), { priority: trainingPriority(job.fee) });
  }

  async #cancel(job: Job): Promise<void> {
    const { paused, queue, leases, transactor, log } = this.#modules;
    await queue.cancel(taskOf(job));
    await this.#stopped(job);
    leases.release(job.id);
    await transactor
      .send({
        ...contracts.jobs,
        functionName: 'failJob',
        args: [job.id, job.attempt, true, 'called off by its requester'],
      })
      .catch((error) => {
        // It was committed or paid back in the meantime: then there is nothing left to call off.
        if (!isOpenLedgerError(error, 'TRANSACTION_REVERTED')) throw error;
        log.info({ job: job.id.toString(), reason: describeError(error) }, 'nothing to call off');
        throw runnerError('JOB_NOT_HELD', `job ${job.id} is over`);
      });
    await paused.remove(job.id);
  }

  /** @throws JOB_STOPPING */
  async #stopped(job: Job): Promise<void> {
    const { queue } = this.#modules;
    for (let waited = 0; waited < STOP_MS; waited += POLL_MS) {
      if ((await queue.state(taskOf(job))).kind !== 'running') return;
      await sleep(POLL_MS);
    }
    throw runnerError('JOB_STOPPING', `job ${job.id} is still stopping`);
  }
}

const taskOf = (job: Job): Task => ({ kind: 'train', id: job.id.toString() });
