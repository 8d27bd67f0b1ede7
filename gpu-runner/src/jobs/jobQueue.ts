import { isOpenLedgerError, type Logger } from '@openledger/kit';
import type { Address } from 'viem';
import type { QueueBackend } from '../queue/backend.ts';
import { openTaskQueue, type TaskHandler, type TaskQueue } from '../queue/taskQueue.ts';

export type Task = { readonly kind: 'train' | 'validate'; readonly id: string };

export type JobQueue = TaskQueue<Task, void>;

/** Nobody else runs this runner's tasks: a lock that ran out is its own from before a restart. */
const LOCK_MS = 10_000;

const MAX_INT32 = 2 ** 31 - 1;

/** Attempts and milliseconds; a task whose input isn't there yet (a file still uploading) needs patience, not speed. */
const RETRIES = { train: { attempts: 3, delay: 2_000 }, validate: { attempts: 60, delay: 1_000 } } as const;

/** A contributor waits for a verdict of seconds: that goes before any training. */
export const VALIDATION_PRIORITY = 1;
const LOWEST_PRIORITY = 2_050;

/** The better paid one goes first: from 2 for the highest fees to 2,050 for none: by the fee's logarithm, an eighth of a doubling a step. */
export const trainingPriority = (feeWei: bigint): number =>
  LOWEST_PRIORITY - Math.floor(8 * Math.log2(Number(feeWei) + 1));

/**
 * What the runner has to do next. The chain is the truth of a job; the queue only says what to run when. Each runner has its
 * own, also on a database that several share: only who has the key can do these tasks.
 */
export const openJobQueue = (options: {
  backend: QueueBackend;
  runner: Address;
  handler: TaskHandler<Task, void>;
  /** Told when the last attempt of a task has failed. */
  onDead(task: Task, error: Error): Promise<void>;
  concurrency: number;
  lockDuration?: number;
  log: Logger;
}): Promise<JobQueue> =>
  openTaskQueue({
    ...options,
    name: `openledger-jobs-${options.runner.toLowerCase()}`,
    // Soon after a restart, and as often as it takes: the chain says when a job is over, and its lease waits for nobody.
    lockDuration: options.lockDuration ?? LOCK_MS,
    maxStalled: MAX_INT32,
    idOf: ({ kind, id }) => `${kind}-${id}`,
    retriesOf: ({ kind }) => RETRIES[kind],
    // A file that is still being uploaded.
    isExpected: (error) => isOpenLedgerError(error, 'FILE_UNKNOWN'),
  });
