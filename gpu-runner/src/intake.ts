import type { BlockEntry, EventReader, RevertEntry } from '@openledger/event-log';
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
    for (const task of openTasks(options)) await queue.add(task.task, task.round);
    options.onReady();
  };
  if (end === 0) await goLive();
  for await (const entry of reader.follow(0, { signal })) {
    if (entry.kind === 'revert') reverts.set(entry.seq, entry);
    else if (!isReverted(entry, reverts)) {
      view.apply(entry);
      if (view.ready) for (const task of newTasks(entry, options)) await queue.add(task.task, task.round);
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
  const contributions = [...view.contributions.values()].filter(
    ({ status, datanetId }) => status === 'pending' && view.isReviewer(datanetId, runner),
  );
  return [...jobs, ...contributions.map(({ id }) => validation(id))];
};

const validation = (id: bigint): Planned => ({ task: { kind: 'validate', id: id.toString() }, round: 0 });

const newTasks = (entry: BlockEntry, { view, runner }: IntakeOptions): Planned[] =>
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
