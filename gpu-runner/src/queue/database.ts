import { mkdirSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import { PglitePool } from './pglitePool.ts';

export type QueryResult<R> = { rows: R[]; rowCount: number | null };

/** What the runner itself asks of its database; `pool` is what BullMQ gets. */
export type RunnerDatabase = {
  readonly pool: PglitePool | pg.Pool;
  query<R>(text: string, params?: readonly unknown[]): Promise<QueryResult<R>>;
  /** Runs `work` in one transaction of one session. */
  transaction<T>(work: (query: RunnerDatabase['query']) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

const SEARCH_PATH = 'SET search_path = bullmq, public';

/** int8 as text, as node-postgres gives it: sequence numbers and wei don't fit a double. */
const INT8 = 20;

/** Embedded PGlite in `dataDir`, or a PostgreSQL server when `url` is given. Migrates both schemas. */
export const openRunnerDatabase = async (options: { dataDir: string; url?: string }): Promise<RunnerDatabase> => {
  const pool = options.url
    ? new pg.Pool({ connectionString: options.url, options: '-c search_path=bullmq,public', keepAlive: true })
    : await embedded(options.dataDir);
  const client = await pool.connect();
  try {
    await runMigrations(client as never);
    if (!options.url) await client.query(SEARCH_PATH);
    await client.query(schema);
  } finally {
    client.release();
  }
  const query = async <R>(text: string, params?: readonly unknown[]) =>
    (await pool.query(text, params as unknown[])) as QueryResult<R>;
  return {
    pool,
    query,
    transaction: async (work) => {
      const session = await pool.connect();
      try {
        await session.query('BEGIN');
        const result = await work((text, params) => session.query(text, params as unknown[]) as never);
        await session.query('COMMIT');
        return result;
      } catch (error) {
        await session.query('ROLLBACK');
        throw error;
      } finally {
        session.release();
      }
    },
    close: () => pool.end(),
  };
};

const embedded = async (dataDir: string): Promise<PglitePool> => {
  mkdirSync(dataDir, { recursive: true });
  const db = await PGlite.create({ dataDir, parsers: { [INT8]: (value) => value } });
  return new PglitePool(db);
};

/** The runner's own tables: the best voucher of each channel, what it has served and not yet settled. */
const schema = `
CREATE SCHEMA IF NOT EXISTS runner;
CREATE TABLE IF NOT EXISTS runner.vouchers (
  channel_id text PRIMARY KEY,
  cumulative numeric(78,0) NOT NULL,
  signature text NOT NULL
);
CREATE TABLE IF NOT EXISTS runner.outputs (
  output_id text PRIMARY KEY,
  channel_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  record jsonb NOT NULL,
  settled_in text
);
CREATE INDEX IF NOT EXISTS outputs_unsettled ON runner.outputs (created_at) WHERE settled_in IS NULL;
`;
