import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@openledger/kit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJobQueue, type Task } from '../jobs/jobQueue.ts';
import { openRunnerDatabase, type RunnerDatabase } from './database.ts';

const POSTGRES = process.env.OPENLEDGER_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
const required = process.env.OPENLEDGER_REQUIRE_SERVICES === '1';

const reachable = async (): Promise<boolean> => {
  const client = new pg.Client({ connectionString: POSTGRES, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if (required) throw error;
    return false;
  }
};
const hasPostgres = await reachable();

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

const suite = (name: string, open: () => Promise<RunnerDatabase>, enabled: boolean) =>
  describe.skipIf(!enabled)(`job queue on ${name}`, () => {
    let database: RunnerDatabase;
    beforeAll(async () => {
      database = await open();
      await database.query('TRUNCATE runner.outputs, runner.vouchers');
    });
    afterAll(() => database.close());
    // Ids differ between runs, because a PostgreSQL server keeps what earlier runs left.
    const run = `${Date.now()}-`;
    const task = (id: string): Task => ({ kind: 'validate', id: run + id });

    it('runs every task once although it was added twice', async () => {
      const { seen, done, add } = counter(30);
      const queue = await openJobQueue({
        database,
        concurrency: 2,
        log: silentLogger,
        onDead: async () => {},
        handler: async ({ id }) => void add(id),
      });
      const ids = [...Array(30).keys()].map((i) => `once-${i}`);
      for (const id of [...ids, ...ids]) await queue.add(task(id));
      await done;
      await queue.close();
      expect(seen.sort()).toEqual(ids.map((id) => run + id).sort());
    });

    it('tries a failing task again, and tells when it is dead', async () => {
      const calls = new Map<string, number>();
      let dead: (task: Task) => void = () => {};
      const died = new Promise<Task>((resolve) => {
        dead = resolve;
      });
      const queue = await openJobQueue({
        database,
        concurrency: 1,
        log: silentLogger,
        onDead: async (which) => dead(which),
        handler: async ({ id }) => {
          calls.set(id, (calls.get(id) ?? 0) + 1);
          throw new Error('never works');
        },
      });
      await queue.add({ kind: 'train', id: `${run}dead` });
      expect((await died).id).toBe(`${run}dead`);
      await queue.close();
      expect(calls.get(`${run}dead`)).toBe(3);
    });

    it('takes up a task that was waiting when the process ended', async () => {
      const idle = await openJobQueue({
        database,
        concurrency: 1,
        log: silentLogger,
        onDead: async () => {},
        handler: () => new Promise(() => {}),
      });
      // Closed before a worker could finish it: the next process has to.
      const adding = idle.add(task('later'), 1);
      await adding;
      const { seen, done, add } = counter(1);
      const next = await openJobQueue({
        database,
        concurrency: 1,
        log: silentLogger,
        onDead: async () => {},
        handler: async ({ id }) => void (id.endsWith('fresh') && add(id)),
      });
      await next.add(task('fresh'));
      await done;
      expect(seen).toEqual([`${run}fresh`]);
      await next.close();
    });

    it('keeps transactions of different sessions apart', async () => {
      await database.query("INSERT INTO runner.vouchers (channel_id, cumulative, signature) VALUES ('1', 0, '0x')");
      const raise = () =>
        database.transaction(async (query) => {
          const { rows } = await query<{ cumulative: string }>(
            "SELECT cumulative::text AS cumulative FROM runner.vouchers WHERE channel_id = '1' FOR UPDATE",
          );
          await query("UPDATE runner.vouchers SET cumulative = $1 WHERE channel_id = '1'", [
            (BigInt(rows[0]?.cumulative ?? 0) + 1n).toString(),
          ]);
        });
      await Promise.all([...Array(10)].map(raise));
      const failing = database.transaction(async (query) => {
        await query("UPDATE runner.vouchers SET cumulative = 999 WHERE channel_id = '1'");
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      const { rows } = await database.query<{ cumulative: string }>(
        "SELECT cumulative::text AS cumulative FROM runner.vouchers WHERE channel_id = '1'",
      );
      expect(rows[0]?.cumulative).toBe('10');
    });
  });

suite('embedded PGlite', () => openRunnerDatabase({ dataDir: join(folder, 'pglite') }), true);
suite('PostgreSQL', () => openRunnerDatabase({ dataDir: folder, url: POSTGRES }), hasPostgres);
