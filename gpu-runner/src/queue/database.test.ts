import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, POSTGRES } from '../../test/support/postgres.ts';
import { openRunnerDatabase, type RunnerDatabase } from './database.ts';

const folder = mkdtempSync(join(tmpdir(), 'openledger-database-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const suite = (name: string, enabled: boolean, open: () => Promise<RunnerDatabase>) =>
  describe.skipIf(!enabled)(`runner database on ${name}`, () => {
    let database: RunnerDatabase;
    beforeAll(async () => {
      database = await open();
      await database.query('TRUNCATE runner.served, runner.sources, runner.settlements');
    });
    afterAll(() => database.close());

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

suite('embedded PGlite', true, () => openRunnerDatabase({ dataDir: join(folder, 'pglite') }));
suite('PostgreSQL', await hasPostgres(), () => openRunnerDatabase({ dataDir: folder, url: POSTGRES }));
