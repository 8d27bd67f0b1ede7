import type { BlockEntry, EventReader, RevertEntry } from '@openledger/event-log';
import { describeError, handlingOf, type Logger, sleep } from '@openledger/kit';
import type { Address } from 'viem';
import type { Job, RunnerView } from './chain/runnerView.ts';
import { type JobQueue, type Task, trainingPriority, VALIDATION_PRIORITY } from './jobs/jobQueue.ts';

export type IntakeOptions = {
  reader: EventReader;
  view: RunnerView;
  queue: Pick<JobQueue, 'add' | 'cancel' | 'state'>;
  runner: Address;
  /** Told once the view has reached the log's end. */
  onReady(): void;
  /** The chain's time, unix milliseconds. */
  now(): number;
  log: Logger;
  sweepMs?: number;
};

const RETRY_MS = 1_000;
/** How often to look for jobs whose runner let its lease run out: no event tells of that. */
const SWEEP_MS = 30_000;

/**
 * Follows the event feed: folds it into the view and turns what this runner has to do into tasks. Past events only build the
 * view; what is still open when the end is reached becomes tasks then, so that a restart forgets and repeats nothing.
 */
export const runIntake = async (options: IntakeOptions, signal: AbortSignal): Promise<void> => {
  const ended = new AbortController();
  const sweeping = sweepLeases(options, AbortSignal.any([signal, ended.signal]));
  try {
    await follow(options, signal);
  } finally {
    ended.abort();
    await sweeping;
  }
};

const follow = async (options: IntakeOptions, signal: AbortSignal): Promise<void> => {
  const reverts = new Map<number, RevertEntry>();
  while (!signal.aborted) {
    try {
      await followOnce(options, reverts, signal);
    } catch (error) {
      if (handlingOf(error) === 'fatal') throw error;
      options.log.warn({ reason: describeError(error) }, 'event feed lost, reading it again');
      reverts.clear();
      await sleep(RETRY_MS, signal);
    }
  }
};

/**
 * Folds the log from its start, without the blocks that `reverts` take back. Returns when there are more reverts than were
 * known at the start, because the view then has blocks in it that no longer count; knowing them, the next run leaves them out.
 */
const followOnce = async (options: IntakeOptions, reverts: Map<number, RevertEntry>, signal: AbortSignal) => {
  const { reader, view, queue, log } = options;
  view.clear();
  const known = reverts.size;
  const end = (await reader.head())?.nextSeq ?? 0;
  const goLive = async () => {
    view.ready = true;
    for (const { task, priority } of openTasks(options)) await queue.add(task, { priority });
    options.onReady();
  };
  if (end === 0) await goLive();
  for await (const entry of reader.follow(0, { signal })) {
    if (entry.kind === 'revert') reverts.set(entry.seq, entry);
    else if (!isReverted(entry, reverts)) {
      view.apply(entry);
      if (view.ready) {
        for (const { task, priority } of newTasks(entry, options)) await queue.add(task, { priority });
        for (const task of endedTasks(entry, options)) await queue.cancel(task);
      }
    }
    if (entry.seq + 1 < end) continue;
    if (reverts.size > known) {
      log.warn({ reverts: reverts.size - known }, 'the chain was taken back; replaying the log');
      return;
    }
    if (!view.ready) await goLive();
  }
};

const isReverted = (block: BlockEntry, reverts: ReadonlyMap<number, RevertEntry>): boolean =>
  [...reverts.values()].some(({ seq, to }) => seq > block.seq && to.number < block.number);

type Planned = { task: Task; priority: number };

/** Jobs that went back to the market because a runner fell silent; those that were tried here and given up are left alone. */
const sweepLeases = async (options: IntakeOptions, signal: AbortSignal): Promise<void> => {
  const { view, queue, log, sweepMs = SWEEP_MS } = options;
  while (!signal.aborted) {
    await sleep(sweepMs, signal);
    if (signal.aborted || !view.ready) continue;
    try {
      for (const { task, priority } of openTasks(options)) {
        if (task.kind === 'train' && (await queue.state(task)).kind === 'unknown') await queue.add(task, { priority });
      }
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'open jobs not looked through');
    }
  }
};

/** Everything that is open now. */
const openTasks = ({ view, runner, now: clock }: IntakeOptions): Planned[] => {
  const me = runner.toLowerCase();
  const now = BigInt(Math.floor(clock() / 1000));
  const jobs = [...view.jobs.values()].filter(
    (job) => job.status === 'requested' || (job.status === 'claimed' && (job.runner === me || job.leaseUntil < now)),
  );
  const contributions = [...view.contributions.values()].filter(
    ({ status, datanetId }) => status === 'pending' && view.isReviewer(datanetId, runner),
  );
  return [...jobs.map(training), ...contributions.map(({ id }) => validation(id))];
};

const training = ({ id, fee }: Job): Planned => ({
  task: { kind: 'train', id: id.toString() },
  priority: trainingPriority(fee),
});

const validation = (id: bigint): Planned => ({
  task: { kind: 'validate', id: id.toString() },
  priority: VALIDATION_PRIORITY,
});

const newTasks = (entry: BlockEntry, { view, runner }: IntakeOptions): Planned[] =>
  entry.events.flatMap((event): Planned[] => {
    switch (event.type) {
      case 'JobRequested':
      case 'JobFailed': {
        const job = view.jobs.get(event.args.jobId);
        return job?.status === 'requested' ? [training(job)] : [];
      }
      case 'ContributionSubmitted':
        if (!view.isReviewer(event.args.datanetId, runner)) return [];
        return [validation(event.args.contributionId)];
      case 'ReviewerSet': {
        const { datanetId, reviewer, allowed } = event.args;
        if (!allowed || reviewer !== runner.toLowerCase()) return [];
        const waiting = [...view.contributions.values()].filter(
          (contribution) => contribution.datanetId === datanetId && contribution.status === 'pending',
        );
        return waiting.map(({ id }) => validation(id));
      }
      default:
        return [];
    }
  });

/** What is no longer this runner's to do: paid back, or in the hands of another one. */
const endedTasks = (entry: BlockEntry, { runner }: IntakeOptions): Task[] =>
  entry.events.flatMap((event): Task[] => {
    switch (event.type) {
      case 'JobRefunded':
        return [{ kind: 'train', id: event.args.jobId.toString() }];
      case 'JobClaimed':
      case 'JobCommitted':
        if (event.args.runner === runner.toLowerCase()) return [];
        return [{ kind: 'train', id: event.args.jobId.toString() }];
      default:
        return [];
    }
  });
