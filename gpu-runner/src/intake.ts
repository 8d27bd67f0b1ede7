import type { EventReader, LogEntry } from '@openledger/event-log';
import { describeError, handlingOf, type Logger, sleep } from '@openledger/kit';
import type { Address } from 'viem';
import type { RunnerView } from './chain/runnerView.ts';
import type { JobQueue, Task } from './jobs/jobQueue.ts';

export type IntakeOptions = {
  reader: EventReader;
  view: RunnerView;
  queue: JobQueue;
  runner: Address;
  /** Told once the view has reached the log's end. */
  onReady(): void;
  /** The chain's time, unix milliseconds. */
  now(): number;
  log: Logger;
};

const RETRY_MS = 1_000;

/**
 * Follows the event feed: folds it into the view and turns what this runner has to do into tasks. Past events only build the
 * view; what is still open when the end is reached becomes tasks then, so that a restart forgets and repeats nothing.
 */
export const runIntake = async (options: IntakeOptions, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    try {
      await followOnce(options, signal);
    } catch (error) {
      if (handlingOf(error) === 'fatal') throw error;
      options.log.warn({ reason: describeError(error) }, 'event feed lost, reading it again');
    }
    await sleep(RETRY_MS, signal);
  }
};

/** Returns when the log was taken back by a reorg: the view then starts over. */
const followOnce = async (options: IntakeOptions, signal: AbortSignal): Promise<void> => {
  const { reader, view, queue, log } = options;
  view.clear();
  const head = await reader.head();
  const end = head?.nextSeq ?? 0;
  let live = false;
  const goLive = async () => {
    live = true;
    for (const task of openTasks(options)) await queue.add(task.task, task.round);
    options.onReady();
  };
  if (end === 0) await goLive();
  for await (const entry of reader.follow(0, { signal })) {
    if (entry.kind === 'revert' && live) {
      log.warn({ to: entry.to.number.toString() }, 'the chain was taken back; replaying the log');
      return;
    }
    if (entry.kind === 'revert') continue;
    view.apply(entry);
    if (live) for (const task of newTasks(entry, options)) await queue.add(task.task, task.round);
    else if (entry.seq + 1 >= end) await goLive();
  }
};

type Planned = { task: Task; round: number };

/** Everything that is open now. A job's round is its attempt: a job that went back to the market is a new task. */
const openTasks = ({ view, runner, now: clock }: IntakeOptions): Planned[] => {
  const me = runner.toLowerCase();
  const now = BigInt(Math.floor(clock() / 1000));
  const jobs = [...view.jobs.values()]
    .filter(
      (job) => job.status === 'requested' || (job.status === 'claimed' && (job.runner === me || job.leaseUntil < now)),
    )
    .map((job): Planned => ({ task: { kind: 'train', id: job.id.toString() }, round: job.attempt }));
  const contributions = [...view.contributions.values()]
    .filter((contribution) => contribution.status === 'pending' && view.isReviewer(contribution.datanetId, runner))
    .map((contribution): Planned => ({ task: { kind: 'validate', id: contribution.id.toString() }, round: 0 }));
  return [...jobs, ...contributions];
};

const newTasks = (entry: Extract<LogEntry, { kind: 'block' }>, { view, runner }: IntakeOptions): Planned[] =>
  entry.events.flatMap((event): Planned[] => {
    switch (event.type) {
      case 'JobRequested':
      case 'JobFailed': {
        const job = view.jobs.get(event.args.jobId);
        if (job?.status !== 'requested') return [];
        return [{ task: { kind: 'train', id: job.id.toString() }, round: job.attempt }];
      }
      case 'ContributionSubmitted':
        if (!view.isReviewer(event.args.datanetId, runner)) return [];
        return [{ task: { kind: 'validate', id: event.args.contributionId.toString() }, round: 0 }];
      default:
        return [];
    }
  });
