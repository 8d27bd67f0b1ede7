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
  const pool = options.url ? openPool(options.url) : await embedded(options.dataDir);
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

/** Connections to a PostgreSQL server, with BullMQ's schema in their search path. */
export const openPool = (url: string): pg.Pool => {
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=bullmq,public', keepAlive: true });
  // Each queue and worker listens for errors.
  pool.setMaxListeners(0);
  return pool;
};

const embedded = async (dataDir: string): Promise<PglitePool> => {
  mkdirSync(dataDir, { recursive: true });
  const db = await PGlite.create({ dataDir, parsers: { [INT8]: (value) => value } });
  return new PglitePool(db);
};

/**
 * The runner's own tables. `sources` is who pays: a channel (kind 2) or an inference job (kind 3), with the best voucher,
 * the wei of everything served on it, and the number of its next output. `served` are the outputs; `settlement` names the
 * pages root of the settlement that carries one. `settlements` are transactions, written down before they are sent.
 * `transcripts` are what auditors of recent outputs may ask for. `training_events` are what runs told: a resumed run
 * overwrites the steps that it repeats. `paused_jobs` are runs that their requesters stopped for a while.
 */
const schema = `
CREATE SCHEMA IF NOT EXISTS runner;
CREATE TABLE IF NOT EXISTS runner.sources (
  kind smallint NOT NULL,
  id text NOT NULL,
  cumulative numeric(78,0) NOT NULL DEFAULT 0,
  signature text,
  served numeric(78,0) NOT NULL DEFAULT 0,
  next_nonce bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS runner.settlements (
  pages_root text PRIMARY KEY,
  transaction_hash text NOT NULL,
  nonce bigint NOT NULL,
  raw text NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS runner.served (
  output_id text PRIMARY KEY,
  source_kind smallint NOT NULL,
  source_id text NOT NULL,
  nonce bigint NOT NULL,
  cost numeric(78,0) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  record jsonb NOT NULL,
  settlement text REFERENCES runner.settlements (pages_root),
  UNIQUE (source_kind, source_id, nonce),
  FOREIGN KEY (source_kind, source_id) REFERENCES runner.sources (kind, id)
);
CREATE INDEX IF NOT EXISTS served_unsettled ON runner.served (created_at, nonce) WHERE settlement IS NULL;
CREATE INDEX IF NOT EXISTS served_settlement ON runner.served (settlement);
CREATE TABLE IF NOT EXISTS runner.transcripts (
  output_id text PRIMARY KEY,
  transcript jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS transcripts_created ON runner.transcripts (created_at);
CREATE TABLE IF NOT EXISTS runner.training_events (
  job_id text NOT NULL,
  kind text NOT NULL,
  step integer NOT NULL,
  data jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job_id, kind, step)
);
CREATE TABLE IF NOT EXISTS runner.paused_jobs (
  job_id text PRIMARY KEY,
  paused_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS runner.api_keys (
  id text PRIMARY KEY,
  name text NOT NULL,
  secret_hash bytea NOT NULL,
  requests_per_minute integer NOT NULL,
  tokens_per_day bigint NOT NULL,
  day date,
  day_tokens bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
ALTER TABLE runner.api_keys ADD COLUMN IF NOT EXISTS operator boolean NOT NULL DEFAULT false;
`;
