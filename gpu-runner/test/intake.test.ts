import type { EventReader } from '@openledger/event-log';
import { OpenLedgerError, silentLogger } from '@openledger/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunnerView } from '../src/chain/runnerView.ts';
import { runIntake } from '../src/intake.ts';
import type { JobQueue, Task } from '../src/jobs/jobQueue.ts';
import {
  accepted,
  baseRegistered,
  claimed,
  datanetCreated,
  event,
  failed,
  hashOf,
  low,
  payer,
  published,
  requested,
  runner,
  stranger,
  submitted,
} from './support/chainEvents.ts';
import { openLog } from './support/eventLog.ts';

const NOW = 1_800_000_000n;

/** Collects tasks; `next` waits for one more than were awaited so far. */
class TaskList implements Pick<JobQueue, 'add' | 'cancel' | 'state'> {
  readonly cancelled: string[] = [];
  readonly added: string[] = [];
  #awaited = 0;
  #wake = () => {};

  async add({ kind, id }: Task): Promise<void> {
    this.added.push(`${kind} ${id}`);
    this.#wake();
  }
  async next(): Promise<string> {
    while (this.added.length <= this.#awaited) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.added[this.#awaited++] as string;
  }
  async cancel({ kind, id }: Task): Promise<void> {
    this.cancelled.push(`${kind} ${id}`);
  }
  async state({ kind, id }: Task): ReturnType<JobQueue['state']> {
    return { kind: this.added.includes(`${kind} ${id}`) ? 'waiting' : 'unknown' };
  }
}

describe('runIntake', () => {
  let log: Awaited<ReturnType<typeof openLog>>;
  let view: RunnerView;
  let queue: TaskList;
  let abort: AbortController;
  let running: Promise<void> | undefined;
  let readies: number;
  beforeEach(async () => {
    log = await openLog();
    view = new RunnerView();
    queue = new TaskList();
    abort = new AbortController();
    readies = 0;
  });
  afterEach(async () => {
    abort.abort();
    await running;
  });

  /** Follows the log; resolves when the view has reached its end. */
  const follow = (reader: EventReader = log.reader, sweepMs?: number): Promise<void> =>
    new Promise((resolve) => {
      const onReady = () => {
        readies++;
        resolve();
      };
      const common = { view, queue, runner: runner.address, now: () => Number(NOW) * 1000, log: silentLogger };
      running = runIntake({ ...common, reader, onReady, ...(sweepMs ? { sweepMs } : {}) }, abort.signal);
    });

  it('is ready at once when the log is empty, and then takes what comes', async () => {
    await follow();
    expect(view.ready).toBe(true);
    await log.append('a', datanetCreated(), submitted(1n));
    expect(await queue.next()).toBe('validate 1');
    expect(view.contributions.get(1n)?.status).toBe('pending');
  });

  it('makes tasks only of what is still open at the end of the past', async () => {
    await log.append('a', datanetCreated(), datanetCreated(2n, stranger.address));
    await log.append('a', submitted(1n), submitted(2n), submitted(3n, hashOf('x'), 2n), submitted(4n));
    await log.append(
      'a',
      accepted(1n, 0),
      event('ContributionRejected', {
        contributionId: 4n,
        datanetId: 1n,
        contributor: low(payer.address),
        reviewer: low(runner.address),
        reason: 'no',
      }),
    );
    await log.append('a', ...[1n, 2n, 3n, 4n, 5n, 6n].map((id) => requested(id)));
    await log.append(
      'a',
      claimed(2n, 1, NOW + 100n),
      claimed(3n, 1, NOW + 100n, stranger.address),
      claimed(4n, 2, NOW - 1n, stranger.address),
      claimed(5n, 1, NOW - 1n),
      event('JobCommitted', {
        jobId: 5n,
        runner: low(runner.address),
        modelId: 9n,
        attempt: 1,
        resultHash: hashOf('r'),
      }),
      claimed(6n, 1, NOW - 1n),
      failed(6n, 1),
    );
    await follow();
    expect([...queue.added].sort()).toEqual(['train 1', 'train 2', 'train 4', 'train 6', 'validate 2']);
    expect(readies).toBe(1);
  });

  it('makes one task of each new event', async () => {
    await log.append('a', datanetCreated());
    await follow();
    await log.append('a', submitted(1n));
    await log.append('a', requested(1n), datanetCreated(2n, stranger.address), submitted(2n, hashOf('x'), 2n));
    await log.append('a', claimed(1n, 1, NOW + 300n), failed(1n, 1));
    await log.append('a', requested(2n), claimed(2n, 1, NOW + 300n, stranger.address));
    await log.append('a', submitted(3n));
    const tasks = [await queue.next(), await queue.next(), await queue.next(), await queue.next()];
    expect(tasks).toEqual(['validate 1', 'train 1', 'train 1', 'validate 3']);
  });

  it('takes up what waited for a reviewer when it is named as one', async () => {
    await log.append('a', datanetCreated(1n, stranger.address), submitted(1n), submitted(2n));
    await follow();
    await log.append('a', accepted(1n, 0));
    await log.append('a', event('ReviewerSet', { datanetId: 1n, reviewer: low(payer.address), allowed: true }));
    await log.append('a', event('ReviewerSet', { datanetId: 1n, reviewer: low(runner.address), allowed: true }));
    expect(await queue.next()).toBe('validate 2');
  });

  it('replays the log when the chain is taken back, without what was reverted', async () => {
    const root = await log.append('a', datanetCreated());
    await follow();
    await log.append('a', submitted(1n), requested(1n), baseRegistered(1n, hashOf('reverted')));
    expect([await queue.next(), await queue.next()]).toEqual(['validate 1', 'train 1']);
    await log.append('a', accepted(1n, 0), published(1));
    await log.revertTo(root);
    await log.append('b', submitted(1n, hashOf('other')), submitted(2n));
    expect([await queue.next(), await queue.next()].sort()).toEqual(['validate 1', 'validate 2']);
    expect(view.contributions.get(1n)).toMatchObject({ contentHash: hashOf('other'), status: 'pending' });
    expect([view.models.size, view.jobs.size, view.versions.size]).toEqual([0, 0, 0]);
  });

  it('leaves out what was reverted in the past, also a fork of a fork and a block that came back', async () => {
    const root = await log.append('a', datanetCreated());
    await log.append('a', submitted(1n));
    const second = await log.append('a', accepted(1n, 0));
    await log.append('a', submitted(2n), accepted(2n, 1));
    await log.revertTo(second);
    await log.append('b', submitted(2n), submitted(3n));
    await log.revertTo(root);
    await log.append('a', submitted(1n));
    await log.append('c', accepted(1n, 0), published(1));
    await follow();
    expect([...view.contributions.keys()]).toEqual([1n]);
    expect(view.versionFiles(1n, 1).map(({ id }) => id)).toEqual([1n]);
    expect(queue.added).toEqual([]);
  });

  it('is ready when the last thing that happened was a revert', async () => {
    const root = await log.append('a', datanetCreated());
    await log.append('a', submitted(1n));
    await log.revertTo(root);
    await follow();
    expect(view.contributions.size).toBe(0);
    expect(view.ready).toBe(true);
  });

  it('starts over when the feed is lost', async () => {
    await log.append('a', datanetCreated(), submitted(1n));
    let lost = 0;
    const flaky: EventReader = {
      head: () => log.reader.head(),
      read: (from, options) => log.reader.read(from, options),
      follow: async function* (from, options) {
        if (lost++ === 0) throw new Error('connection reset');
        yield* log.reader.follow(from, options);
      },
    };
    await follow(flaky);
    expect(lost).toBe(2);
    expect(queue.added).toEqual(['validate 1']);
  });

  it('calls off what was paid back, or went to another runner, and nothing else', async () => {
    await follow();
    await log.append('a', requested(1n), requested(2n), requested(3n), claimed(1n, 1, NOW + 300n));
    await log.append(
      'a',
      claimed(2n, 1, NOW + 300n, stranger.address),
      event('JobRefunded', { jobId: 3n, requester: low(payer.address), amount: 5n }),
    );
    await expect.poll(() => queue.cancelled).toEqual(['train 2', 'train 3']);
  });

  it('takes up a job whose runner fell silent, once, although no event tells of that', async () => {
    await follow(log.reader, 20);
    await log.append('a', requested(1n), claimed(1n, 1, NOW - 1n, stranger.address));
    expect(await queue.next()).toBe('train 1');
    queue.added.length = 0;
    await expect.poll(() => queue.added).toEqual(['train 1']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(queue.added).toEqual(['train 1']);
  });

  it('gives up on an error that needs an operator', async () => {
    const failure = new OpenLedgerError('corrupt', { code: 'LOG_CORRUPT', handling: 'fatal' });
    const { reader } = log;
    void follow({ head: () => Promise.reject(failure), read: reader.read, follow: reader.follow });
    const ended = running;
    running = undefined;
    await expect(ended).rejects.toBe(failure);
  });
});
