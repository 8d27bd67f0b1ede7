import type { Logger } from '@openledger/kit';
import { sleep } from '@openledger/kit';
import { runnerError } from '../errors.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { openTaskQueue, type TaskHandler, type TaskQueue } from '../queue/taskQueue.ts';
import type { Trainer, TrainingEvent, TrainingOutcome, TrainingWork } from './training.ts';

/** What a worker answers: training that can't work is an answer, not a failure that another machine would repeat. */
export type FleetAnswer =
  | { readonly outcome: TrainingOutcome }
  | { readonly refused: { readonly message: string; readonly code: string } };

export type FleetQueue = TaskQueue<TrainingWork, FleetAnswer>;

const QUEUE = 'openledger-training';
const POLL_MS = 500;
const LOCK_MS = 30_000;

/** The queue that runners put their training into and workers take it from. */
export const openFleetQueue = (options: {
  backend: QueueBackend;
  handler?: TaskHandler<TrainingWork, FleetAnswer>;
  lockDuration?: number;
  log: Logger;
}): Promise<FleetQueue> =>
  openTaskQueue({
    ...options,
    name: QUEUE,
    idOf: ({ id }) => id,
    retriesOf: () => ({ attempts: 3, delay: 2_000 }),
    keepResults: true,
    lockDuration: options.lockDuration ?? LOCK_MS,
  });

/**
 * Lets a worker of the fleet do the training and waits for it. Work that is already under way, or done, is not started again:
 * a runner that was killed meanwhile finds it.
 */
export const fleetTrainer =
  (queue: FleetQueue, pollMs = POLL_MS): Trainer =>
  async (work, { signal, leaving, onEvent }) => {
    const state = await queue.state(work);
    if (state.kind === 'dead' || state.kind === 'cancelled') await queue.forget(work);
    await queue.add(work);
    const cancel = () => void queue.cancel(work).catch(() => {});
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await outcomeOf(queue, work, { onEvent, pollMs, signal, leaving });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  };

type Waiting = {
  onEvent(event: TrainingEvent): void;
  pollMs: number;
  signal: AbortSignal | undefined;
  leaving: AbortSignal | undefined;
};

const outcomeOf = async (
  queue: FleetQueue,
  work: TrainingWork,
  { onEvent, pollMs, signal, leaving }: Waiting,
): Promise<TrainingOutcome> => {
  let told = 0;
  for (;;) {
    const state = await queue.state(work);
    for (const event of await queue.events(work, told)) {
      told++;
      onEvent(event as TrainingEvent);
    }
    if (state.kind === 'cancelled' || (state.kind === 'unknown' && signal?.aborted)) {
      await queue.forget(work);
      throw runnerError('ENGINE_CANCELLED', 'the training was called off');
    }
    if (state.kind === 'unknown') throw runnerError('ENGINE_FAILED', 'the fleet’s queue lost the training');
    if (state.kind === 'dead') {
      await queue.forget(work);
      throw runnerError('ENGINE_FAILED', `no worker could do it: ${state.reason}`);
    }
    // Not forgotten: a runner that is killed before its commit finds the result again.
    if (state.kind === 'done') {
      if ('outcome' in state.result) return state.result.outcome;
      const { message, code } = state.result.refused;
      throw runnerError('ENGINE_REFUSED', message, { code });
    }
    // The worker goes on; whoever runs the job next finds its result.
    if (leaving?.aborted) throw runnerError('ENGINE_CANCELLED', 'this process ends before the training');
    await sleep(pollMs, leaving);
  }
};
