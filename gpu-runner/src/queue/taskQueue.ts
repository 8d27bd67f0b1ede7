import { describeError, type Logger, sleep } from '@openledger/kit';
import { DelayedError, type Job, type Queue } from 'bullmq';
import type { QueueBackend } from './backend.ts';

export type TaskContext = {
  /** Aborts when the task is cancelled, from whatever process. */
  readonly signal: AbortSignal;
  /** Appends to the task's events, which other processes can read. */
  report(event: Record<string, unknown>): void;
};

export type TaskHandler<T, R> = (task: T, context: TaskContext) => Promise<R>;

/** How often a failing task is tried, and the milliseconds in between. */
export type Retries = { readonly attempts: number; readonly delay: number };

/** A task that was given up, with the reason of its last failure. `at` in unix milliseconds. */
export type DeadLetter<T> = {
  readonly task: T;
  readonly reason: string;
  readonly attempts: number;
  readonly at: number;
};

export type TaskState<R> =
  | { readonly kind: 'unknown' | 'waiting' | 'running' }
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'dead'; readonly reason: string };

export type TaskQueue<T, R> = {
  /**
   * Idempotent: a task that waits or runs isn't added again; one that was given up is. Lower priorities run first, 1 to 2^21 - 1.
   */
  add(task: T, options?: { priority?: number }): Promise<void>;
  /** Calls a task off: one that waits is dropped, one that runs is told within about a second. */
  cancel(task: T): Promise<void>;
  state(task: T): Promise<TaskState<R>>;
  /** What the task's handlers reported, from the given place on. */
  events(task: T, from: number): Promise<Record<string, unknown>[]>;
  /** Forgets a task that has ended, with its result and events. */
  forget(task: T): Promise<void>;
  deadLetters(): Promise<DeadLetter<T>[]>;
  /** Lets running tasks end; with `force` it leaves them, as a crash would, to whoever opens the queue next. */
  close(options?: { force?: boolean }): Promise<void>;
};

export type TaskQueueOptions<T, R> = {
  backend: QueueBackend;
  name: string;
  /** Names a task; the same name is the same task. */
  idOf(task: T): string;
  retriesOf(task: T): Retries;
  /** Without a handler this process only adds tasks and reads their results. */
  handler?: TaskHandler<T, R>;
  /** Told when the last attempt of a task has failed. */
  onDead?: (task: T, error: Error) => Promise<void>;
  /** Failures that belong to the ordinary course of things and aren't worth a warning. */
  isExpected?: (error: unknown) => boolean;
  concurrency?: number;
  /** Whether results are kept until they are forgotten. */
  keepResults?: boolean;
  /** Milliseconds after which a task whose process fell silent is run by another one; it is looked for twice as often. */
  lockDuration?: number;
  /** How often a task may outlive the process that runs it before it counts as failed. */
  maxStalled?: number;
  cancelPollMs?: number;
  log: Logger;
};

type Stored<T> = { task: T; cancelled?: boolean };
type Ended<R> = { result?: R; cancelled?: boolean };

/** How long a task waits that still runs here. */
const BUSY_MS = 1_000;
const LOCK_MS = 30_000;
const MAX_STALLED = 10;
const CANCEL_POLL_MS = 1_000;
/** Results and dead letters that nobody asks for. */
const KEPT = { age: 14 * 86_400, count: 10_000 };

/**
 * Tasks over BullMQ, on whatever it keeps its queues in. At least once, and every handler is safe to repeat: what makes an
 * effect happen once is the chain.
 */
export const openTaskQueue = async <T, R>(options: TaskQueueOptions<T, R>): Promise<TaskQueue<T, R>> => {
  const { backend, idOf, log, keepResults = false } = options;
  const { connection } = backend;
  const queue = new backend.Queue(options.name, { connection }) as unknown as Queue<Stored<T>, Ended<R>>;
  queue.on('error', (error) => log.error({ err: error }, 'queue error'));
  const worker = options.handler ? startWorker({ ...options, handler: options.handler }, queue) : undefined;
  await queue.waitUntilReady();

  const find = async (task: T): Promise<Job<Stored<T>, Ended<R>> | undefined> =>
    (await queue.getJob(idOf(task))) as Job<Stored<T>, Ended<R>> | undefined;
  const forget = async (task: T) => {
    // A task that another process just took can't be removed; it hasn't ended then.
    if ((await find(task))?.finishedOn) await queue.remove(idOf(task));
  };
  return {
    add: async (task, { priority = 1 } = {}) => {
      const known = await find(task);
      if (known?.finishedOn && (!keepResults || known.failedReason || known.returnvalue?.cancelled)) await forget(task);
      const { attempts, delay } = options.retriesOf(task);
      await queue.add('task' as never, { task } as never, {
        jobId: idOf(task),
        priority,
        attempts,
        backoff: { type: 'fixed', delay },
        removeOnComplete: keepResults ? KEPT : true,
        removeOnFail: KEPT,
      });
    },
    cancel: async (task) => {
      const job = await find(task);
      if (!job || job.finishedOn) return;
      // In this order: whoever takes it between the two finds the mark.
      await job.updateData({ ...job.data, cancelled: true });
      await job.remove().catch((error) => log.debug({ reason: describeError(error) }, 'cancelled task runs'));
    },
    state: async (task) => {
      const job = await find(task);
      if (!job) return { kind: 'unknown' };
      if (job.failedReason && job.finishedOn) return { kind: 'dead', reason: job.failedReason };
      if (!job.finishedOn) return { kind: (await job.isActive()) ? 'running' : 'waiting' };
      const { cancelled, result } = job.returnvalue ?? {};
      return cancelled ? { kind: 'cancelled' } : { kind: 'done', result: result as R };
    },
    events: async (task, from) => {
      const { logs } = await queue.getJobLogs(idOf(task), from, -1);
      return logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    forget,
    deadLetters: async () => {
      const failed = (await queue.getFailed()) as Job<Stored<T>>[];
      return failed.map(({ data, failedReason, attemptsMade, finishedOn }) => ({
        task: data.task,
        reason: failedReason,
        attempts: attemptsMade,
        at: finishedOn ?? 0,
      }));
    },
    close: async ({ force = false } = {}) => {
      await worker?.close(force);
      await queue.close();
    },
  };
};

const startWorker = <T, R>(
  options: TaskQueueOptions<T, R> & { handler: TaskHandler<T, R> },
  queue: Queue<Stored<T>, Ended<R>>,
) => {
  const { backend, handler, log, lockDuration = LOCK_MS, cancelPollMs = CANCEL_POLL_MS } = options;
  /** What this process runs: a task whose lock ran out while it was busy is given to it again. */
  const running = new Set<string>();
  const process = async (job: Job<Stored<T>, Ended<R>>, lock?: string, stalled?: AbortSignal): Promise<Ended<R>> => {
    const { task } = job.data;
    const id = String(job.id);
    if (job.data.cancelled) return { cancelled: true };
    if (running.has(id)) {
      await job.moveToDelayed(Date.now() + BUSY_MS, lock);
      throw new DelayedError();
    }
    running.add(id);
    const ended = new AbortController();
    const cancelled = new AbortController();
    const watching = watchCancel(job, queue, cancelled, cancelPollMs, ended.signal, log);
    let reports: Promise<unknown> = Promise.resolve();
    try {
      const signal = stalled ? AbortSignal.any([stalled, cancelled.signal]) : cancelled.signal;
      const report = (event: Record<string, unknown>) => {
        reports = reports
          .then(() => job.log(JSON.stringify(event)))
          .catch((error) => log.warn({ reason: describeError(error) }, 'progress not recorded'));
      };
      return { result: await handler(task, { signal, report }) };
    } catch (error) {
      if (cancelled.signal.aborted) return { cancelled: true };
      throw error;
    } finally {
      ended.abort();
      await watching;
      await reports;
      running.delete(id);
    }
  };
  const worker = new backend.Worker(options.name, process as never, {
    connection: backend.connection,
    concurrency: options.concurrency ?? 1,
    lockDuration,
    stalledInterval: lockDuration / 2,
    maxStalledCount: options.maxStalled ?? MAX_STALLED,
  });
  worker.on('error', (error) => log.error({ err: error }, 'queue error'));
  worker.on('failed', (job, error) => {
    const failed = job as Job<Stored<T>> | undefined;
    if (!failed) return;
    const { task } = failed.data;
    const level = options.isExpected?.(error) ? 'debug' : 'warn';
    log[level]({ task, attempt: failed.attemptsMade, reason: describeError(error) }, 'task failed');
    // The last attempt is the one that ends it, for failures and for locks that ran out too often alike.
    if (failed.finishedOn && options.onDead) {
      void options.onDead(task, error).catch((failure) => log.error({ err: failure }, 'dead task not recorded'));
    }
  });
  return worker;
};

/** Reads the mark that `cancel` leaves in a running task, until it has ended. */
const watchCancel = async <T, R>(
  job: Job<Stored<T>, Ended<R>>,
  queue: Queue<Stored<T>, Ended<R>>,
  cancelled: AbortController,
  pollMs: number,
  ended: AbortSignal,
  log: Logger,
): Promise<void> => {
  while (!ended.aborted) {
    await sleep(pollMs, ended);
    if (ended.aborted) return;
    const now = await queue.getJob(String(job.id)).catch((error) => {
      log.debug({ reason: describeError(error) }, 'cancellation not read');
      return undefined;
    });
    if (!(now as Job<Stored<T>> | undefined)?.data.cancelled) continue;
    cancelled.abort();
    return;
  }
};
