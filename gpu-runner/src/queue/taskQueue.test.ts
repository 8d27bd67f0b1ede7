import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@openledger/kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasPostgres, POSTGRES } from '../../test/support/postgres.ts';
import { hasRedis, REDIS } from '../../test/support/redis.ts';
import { databaseBackend, openSharedBackend, type QueueBackend } from './backend.ts';
import { openRunnerDatabase } from './database.ts';
import { openTaskQueue, type TaskHandler, type TaskQueue, type TaskQueueOptions } from './taskQueue.ts';

type Task = { name: string };

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

/** What every kind of queue has to hold to, whatever BullMQ keeps it in. */
const contract = (kind: string, enabled: boolean, openBackend: () => Promise<QueueBackend>) =>
  describe.skipIf(!enabled)(`task queue on ${kind}`, () => {
    let backend: QueueBackend;
    let number = 0;
    let queueName = '';
    let open: TaskQueue<Task, string>[] = [];
    beforeAll(async () => {
      backend = await openBackend();
    });
    afterAll(() => backend.close());
    beforeEach(() => {
      // A server keeps what earlier runs left.
      queueName = `test-${Date.now()}-${number++}`;
      open = [];
    });
    afterEach(async () => {
      for (const queue of open) await queue.close({ force: true });
      const { Queue } = backend;
      const emptied = new Queue(queueName, { connection: backend.connection });
      await emptied.obliterate({ force: true });
      await emptied.close();
    });

    const task = (name: string): Task => ({ name });
    const start = async (
      handler?: TaskHandler<Task, string>,
      more: Partial<TaskQueueOptions<Task, string>> = {},
    ): Promise<TaskQueue<Task, string>> => {
      const queue = await openTaskQueue<Task, string>({
        backend,
        name: queueName,
        idOf: ({ name }) => name,
        retriesOf: () => ({ attempts: 3, delay: 10 }),
        ...(handler ? { handler } : {}),
        concurrency: 2,
        cancelPollMs: 20,
        log: silentLogger,
        ...more,
      });
      open.push(queue);
      return queue;
    };
    const until = async (holds: () => boolean | Promise<boolean>) => expect.poll(holds, { timeout: 20_000 }).toBe(true);

    it('runs a task once although it is added again while it waits or runs', async () => {
      const [added, addedAll] = [gate(), gate()];
      const seen: string[] = [];
      const queue = await start(async ({ name }) => {
        added.open();
        await addedAll.opened;
        seen.push(name);
        return '';
      });
      const names = [...Array(30).keys()].map((i) => `once-${i}`);
      for (const name of names) await queue.add(task(name));
      await added.opened;
      for (const name of names) await queue.add(task(name));
      addedAll.open();
      await until(() => seen.length >= 30);
      await queue.close();
      expect(seen.sort()).toEqual(names.sort());
    });

    it('wakes an idle worker for a new task', async () => {
      const ran: number[] = [];
      const queue = await start(async () => String(ran.push(Date.now())));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const added = Date.now();
      await queue.add(task('woken'));
      await until(() => ran.length > 0);
      // Without being told, a worker looks again after five seconds.
      expect((ran[0] ?? 0) - added).toBeLessThan(2_500);
    });

    it('shares the work of one queue among processes, each task to one of them', async () => {
      const seen: string[] = [];
      const handler =
        (who: string): TaskHandler<Task, string> =>
        async ({ name }) => {
          seen.push(name);
          await new Promise((resolve) => setTimeout(resolve, 5));
          return who;
        };
      const [adding] = [await start(), await start(handler('one')), await start(handler('other'))];
      for (let i = 0; i < 40; i++) await adding.add(task(`shared-${i}`));
      await until(() => seen.length >= 40);
      expect(new Set(seen).size).toBe(40);
      expect(seen).toHaveLength(40);
    });

    it('takes the more urgent task first', async () => {
      const order: string[] = [];
      const adding = await start();
      for (const [name, priority] of [
        ['low', 900],
        ['high', 2],
        ['middle', 30],
        ['higher', 1],
      ] as const) {
        await adding.add(task(name), { priority });
      }
      await start(async ({ name }) => String(order.push(name)), { concurrency: 1 });
      await until(() => order.length === 4);
      expect(order).toEqual(['higher', 'high', 'middle', 'low']);
    });

    it('tries a failing task again, lays it down with its reason, and runs it anew when it is added again', async () => {
      let calls = 0;
      const dead: Task[] = [];
      const failing = await start(
        async () => {
          throw new Error(`does not work yet: ${++calls}`);
        },
        { onDead: async (which) => void dead.push(which) },
      );
      await failing.add(task('failing'));
      await until(() => dead.length === 1);
      expect(dead).toEqual([task('failing')]);
      expect(calls).toBe(3);
      expect(await failing.deadLetters()).toEqual([
        { task: task('failing'), reason: 'does not work yet: 3', attempts: 3, at: expect.any(Number) },
      ]);
      expect(await failing.state(task('failing'))).toEqual({ kind: 'dead', reason: 'does not work yet: 3' });
      await failing.close();
      for (let round = 0; round < 2; round++) {
        const ran: string[] = [];
        const next = await start(async ({ name }) => String(ran.push(name)));
        await next.add(task('failing'));
        await until(() => ran.length > 0);
        await next.close();
        expect(await (await start()).deadLetters()).toEqual([]);
      }
    });

    it('runs what another process left unfinished, once its lock has run out', async () => {
      const lockDuration = 1_000;
      const began = gate();
      const crashing = await start(
        async () => {
          began.open();
          return new Promise(() => {});
        },
        { lockDuration, maxStalled: 2 ** 31 - 1 },
      );
      await crashing.add(task('left'));
      await began.opened;
      await crashing.close({ force: true });
      const seen: string[] = [];
      await start(async ({ name }) => String(seen.push(name)), { lockDuration, maxStalled: 2 ** 31 - 1 });
      await until(() => seen.length > 0);
      expect(seen).toEqual(['left']);
    });

    it('calls a running task off from another process, and drops one that waits', async () => {
      const began = gate();
      const seen: string[] = [];
      const dead: Task[] = [];
      await start(
        async ({ name }, { signal }) => {
          seen.push(name);
          began.open();
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('off'))));
          return '';
        },
        { concurrency: 1, keepResults: true, onDead: async (which) => void dead.push(which) },
      );
      const other = await start(undefined, { keepResults: true });
      await other.add(task('runs'));
      await began.opened;
      await other.add(task('waits'));
      await other.cancel(task('waits'));
      await other.cancel(task('runs'));
      await until(async () => (await other.state(task('runs'))).kind === 'cancelled');
      expect(await other.state(task('waits'))).toEqual({ kind: 'unknown' });
      expect(seen).toEqual(['runs']);
      expect(dead).toEqual([]);
      expect(await other.deadLetters()).toEqual([]);
      // What was called off may be wanted again.
      await other.add(task('runs'));
      await until(() => seen.length === 2);
    });

    it('keeps results and events for other processes until they are forgotten', async () => {
      let calls = 0;
      await start(
        async (_task, { report }) => {
          for (let step = 0; step < 50; step++) report({ step });
          return `result ${++calls}`;
        },
        { keepResults: true },
      );
      const asking = await start(undefined, { keepResults: true });
      await asking.add(task('asked'));
      await until(async () => (await asking.state(task('asked'))).kind === 'done');
      expect(await asking.state(task('asked'))).toEqual({ kind: 'done', result: 'result 1' });
      expect(await asking.events(task('asked'), 0)).toEqual([...Array(50).keys()].map((step) => ({ step })));
      expect(await asking.events(task('asked'), 48)).toEqual([{ step: 48 }, { step: 49 }]);
      await asking.add(task('asked'));
      expect(await asking.state(task('asked'))).toEqual({ kind: 'done', result: 'result 1' });
      await asking.forget(task('asked'));
      await asking.add(task('asked'));
      await until(() => calls === 2);
    });
  });

const folder = mkdtempSync(join(tmpdir(), 'openledger-queue-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

contract('embedded PGlite', true, async () => {
  const database = await openRunnerDatabase({ dataDir: join(folder, 'pglite') });
  return { ...databaseBackend(database), close: database.close };
});
contract('PostgreSQL', await hasPostgres(), () => openSharedBackend(POSTGRES));
contract('Redis', await hasRedis(), () => openSharedBackend(REDIS));
