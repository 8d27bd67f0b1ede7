import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Database } from './database/database.ts';
import { indexerError } from './errors.ts';

const FOLDER = new URL('../migrations/', import.meta.url);

export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly digest: string;
};

export const readMigrations = async (): Promise<Migration[]> => {
  const files = (await readdir(FOLDER)).filter((file) => /^\d{6}_\w+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, FOLDER), 'utf8');
      const digest = createHash('sha256').update(sql).digest('hex');
      return { number: Number(file.slice(0, 6)), name: file.slice(7, -4), sql, digest };
    }),
  );
};

/**
 * Creates the schema and brings its tables up to date, all in one transaction.
 * @throws INDEXER_MIGRATION_EDITED when an applied migration's text changed, INDEXER_VIEWS_NEWER when this software lacks
 * one that was applied.
 */
export const migrate = async (database: Database): Promise<void> => {
  const migrations = await readMigrations();
  await database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`migrate ${database.schema}`]);
    await tx.execute(`CREATE SCHEMA IF NOT EXISTS "${database.schema}"`);
    await tx.execute(`CREATE TABLE IF NOT EXISTS migrations (
      number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const applied = await tx.query<{ number: number; digest: string }>('SELECT number, digest FROM migrations');
    const known = new Map(migrations.map((migration) => [migration.number, migration]));
    for (const { number, digest } of applied) {
      const migration = known.get(number);
      if (!migration) throw indexerError('INDEXER_VIEWS_NEWER', `migration ${number} is unknown here`, { number });
      if (migration.digest !== digest) {
        throw indexerError('INDEXER_MIGRATION_EDITED', `migration ${number} was edited after it was applied`, {
          number,
        });
      }
      known.delete(number);
    }
    for (const { number, name, sql, digest } of known.values()) {
      await tx.execute(sql);
      await tx.query('INSERT INTO migrations (number, name, digest) VALUES ($1, $2, $3)', [number, name, digest]);
    }
  });
};
