import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@openledger/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, POSTGRES } from '../../test/support/postgres.ts';
import { openJobQueue, type Task, type TaskHandler } from '../jobs/jobQueue.ts';
import { openRunnerDatabase, type RunnerDatabase } from './database.ts';

const postgresAnswers = await hasPostgres();

const folder = mkdtempSync(join(tmpdir(), 'openledger-queue-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Resolves when `count` calls have been made. */
const counter = (count: number) => {
  let resolve: () => void = () => {};
  const done = new Promise<void>((r) => {
    resolve = r;
  });
  const seen: string[] = [];
  return { seen, done, add: (id: string) => seen.push(id) === count && resolve() };
};

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

const suite = (name: string, open: () => Promise<RunnerDatabase>, enabled: boolean) =>
  describe.skipIf(!enabled)(`job queue on ${name}`, () => {
    let database: RunnerDatabase;
    beforeAll(async () => {
      database = await open();
      await database.query('TRUNCATE runner.served, runner.sources, runner.settlements');
    });
    afterAll(() => database.close());
    // Ids differ between runs, because a PostgreSQL server keeps what earlier runs left.
    const run = `${Date.now()}-`;
    const task = (id: string): Task => ({ kind: 'validate', id: run + id });

    const start = (handler: TaskHandler, options: { onDead?: (task: Task) => void; lockDuration?: number } = {}) =>
      openJobQueue({
        database,
        concurrency: 2,
        log: silentLogger,
        ...(options.lockDuration ? { lockDuration: options.lockDuration } : {}),
        onDead: async (which) => options.onDead?.(which),
        // A PostgreSQL server keeps what a broken-off run left behind.
        handler: async (which, report) => {
          if (which.id.startsWith(run)) await handler(which, report);
        },
      });

    it('runs a task once although it is added again while it waits or runs', async () => {
      const { seen, done, add } = counter(30);
      const [added, addedAll] = [gate(), gate()];
      const queue = await start(async ({ id }) => {
        added.open();
        await addedAll.opened;
        add(id);
      });
      const ids = [...Array(30).keys()].map((i) => `once-${i}`);
      for (const id of ids) await queue.add(task(id));
      await added.opened;
      for (const id of ids) await queue.add(task(id));
      addedAll.open();
      await done;
      await queue.close();
      expect(seen.sort()).toEqual(ids.map((id) => run + id).sort());
    });

    it('never runs two tasks of one thing at the same time, and drops neither', async () => {
      const [first, other, second] = [gate(), gate(), gate()];
      const release = gate();
      const running: string[] = [];
      const queue = await start(async ({ id }) => {
        if (id.endsWith('other')) return other.open();
        running.push(id);
        (running.length === 1 ? first : second).open();
        await release.opened;
      });
      await queue.add(task('same'), 0);
      await first.opened;
      await queue.add(task('same'), 1);
      await queue.add(task('other'));
      // Tasks are taken in order: when this one runs, the second has had its turn.
      await other.opened;
      expect(running).toHaveLength(1);
      release.open();
      await second.opened;
      await queue.close();
    });

    it('tries a failing task again, tells when it is dead, and runs it anew when it is still open later', async () => {
      const failing: Task = { kind: 'train', id: `${run}failing` };
      let calls = 0;
      let tell: (task: Task) => void = () => {};
      const dead = new Promise<Task>((resolve) => {
        tell = resolve;
      });
      const handler = async () => {
        calls++;
        throw new Error('does not work yet');
      };
      const queue = await start(handler, { onDead: (which) => tell(which) });
      await queue.add(failing);
      expect(await dead).toEqual(failing);
      await queue.close();
      expect(calls).toBe(3);
      for (let round = 0; round < 2; round++) {
        const { done, add } = counter(1);
        const next = await start(async ({ id }) => void add(id));
        await next.add(failing);
        await done;
        await next.close();
      }
    });

    it('runs what another process left unfinished, once its lock has run out', async () => {
      const lockDuration = 1_000;
      const began = gate();
      const crashing = await start(
        async () => {
          began.open();
          await new Promise(() => {});
        },
        { lockDuration },
      );
      await crashing.add(task('left'));
      await began.opened;
      await crashing.close({ force: true });
      const { seen, done, add } = counter(1);
      const next = await start(async ({ id }) => void add(id), { lockDuration });
      await done;
      await next.close();
      expect(seen).toEqual([`${run}left`]);
    });

    it('keeps transactions of different sessions apart', async () => {
      await database.query("INSERT INTO runner.sources (kind, id) VALUES (2, '1')");
      const raise = () =>
        database.transaction(async (query) => {
          const { rows } = await query<{ cumulative: string }>(
            "SELECT cumulative::text AS cumulative FROM runner.sources WHERE id = '1' FOR UPDATE",
          );
          await query("UPDATE runner.sources SET cumulative = $1 WHERE id = '1'", [
            (BigInt(rows[0]?.cumulative ?? 0) + 1n).toString(),
          ]);
        });
      await Promise.all([...Array(10)].map(raise));
      const failing = database.transaction(async (query) => {
        await query("UPDATE runner.sources SET cumulative = 999 WHERE id = '1'");
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      const { rows } = await database.query<{ cumulative: string }>(
        "SELECT cumulative::text AS cumulative FROM runner.sources WHERE id = '1'",
      );
      expect(rows[0]?.cumulative).toBe('10');
    });
  });

suite('embedded PGlite', () => openRunnerDatabase({ dataDir: join(folder, 'pglite') }), true);
suite('PostgreSQL', () => openRunnerDatabase({ dataDir: folder, url: POSTGRES }), postgresAnswers);
