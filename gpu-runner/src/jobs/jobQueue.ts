import { describeError, isOpenLedgerError, type Logger } from '@openledger/kit';
import { createPostgresBackend, DelayedError, type Job as QueueJob, withBackend } from 'bullmq';
import type { RunnerDatabase } from '../queue/database.ts';

export type Task = { readonly kind: 'train' | 'validate'; readonly id: string };
export type TaskHandler = (task: Task, report: (progress: Record<string, unknown>) => void) => Promise<void>;

const QUEUE = 'openledger-jobs';
/** Attempts and milliseconds; a task whose input isn't there yet (a file still uploading) needs patience, not speed. */
const RETRIES = { train: { attempts: 3, delay: 2_000 }, validate: { attempts: 60, delay: 1_000 } } as const;
/** How long a task waits that another one of the same thing runs before. */
const BUSY_MS = 1_000;
/** A task whose process doesn't renew its lock for so long is run by another one. */
const LOCK_MS = 30_000;

export type JobQueue = {
  /** Idempotent: a task that waits or runs isn't added again. One that has ended is: the chain says that it is still open. */
  add(task: Task, round?: number): Promise<void>;
  /** Lets running tasks end; with `force` it leaves them, as a crash would, to whoever opens the queue next. */
  close(options?: { force?: boolean }): Promise<void>;
};

/**
 * Dispatch of the runner's work over BullMQ. The chain is the truth of a job; the queue only says what to run next on which
 * machine: at least once, and every handler is safe to repeat.
 */
export const openJobQueue = async (options: {
  database: RunnerDatabase;
  handler: TaskHandler;
  /** Told when the last attempt of a task has failed. */
  onDead(task: Task, error: Error): Promise<void>;
  concurrency: number;
  lockDuration?: number;
  log: Logger;
}): Promise<JobQueue> => {
  const { database, handler, onDead, log, lockDuration = LOCK_MS } = options;
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = database.pool as never;
  const queue = new Queue<Task>(QUEUE, { connection });
  /** After a restart or a failed attempt, tasks of different rounds can be about the same job: they run one after another. */
  const running = new Set<string>();
  const worker = new Worker<Task>(
    QUEUE,
    async (job: QueueJob<Task>, lock?: string) => {
      const thing = `${job.data.kind} ${job.data.id}`;
      if (running.has(thing)) {
        await job.moveToDelayed(Date.now() + BUSY_MS, lock);
        throw new DelayedError();
      }
      running.add(thing);
      try {
        await handler(job.data, (progress) => void job.updateProgress(progress).catch(() => {}));
      } finally {
        running.delete(thing);
      }
    },
    {
      connection,
      concurrency: options.concurrency,
      lockDuration,
      stalledInterval: lockDuration,
      maxStalledCount: 3,
    },
  );
  worker.on('error', (error) => log.error({ err: error }, 'queue error'));
  worker.on('failed', (job, error) => {
    if (!job) return;
    const dead = job.attemptsMade >= (job.opts.attempts ?? 1);
    const expected = isOpenLedgerError(error, 'FILE_UNKNOWN');
    log[expected ? 'debug' : 'warn'](
      { task: job.data, attempt: job.attemptsMade, reason: describeError(error) },
      'task failed',
    );
    if (dead) void onDead(job.data, error).catch((failure) => log.error({ err: failure }, 'dead task not recorded'));
  });
  await queue.waitUntilReady();
  return {
    add: async (task, round = 0) => {
      const { attempts, delay } = RETRIES[task.kind];
      await queue.add(task.kind, task, {
        jobId: `${task.kind}-${task.id}-${round}`,
        attempts,
        backoff: { type: 'fixed', delay },
        removeOnComplete: true,
        removeOnFail: true,
      });
    },
    close: async ({ force = false } = {}) => {
      await worker.close(force);
      await queue.close();
    },
  };
};
