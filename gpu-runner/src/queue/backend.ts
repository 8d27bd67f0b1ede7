import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq';
import { runnerError } from '../errors.ts';
import { openPool, type RunnerDatabase } from './database.ts';

type Classes = Pick<ReturnType<typeof withBackend>, 'Queue' | 'Worker'>;

/** Where BullMQ keeps its queues, and the classes that are bound to it. `connection` goes into their options. */
export type QueueBackend = Classes & { readonly connection: never; close(): Promise<void> };

/** The runner's own database, embedded or not: no other server is needed. */
export const databaseBackend = ({ pool }: Pick<RunnerDatabase, 'pool'>): QueueBackend => ({
  ...(withBackend(createPostgresBackend) as unknown as Classes),
  connection: pool as never,
  close: async () => {},
});

/**
 * A server that several machines share: `redis:`, `rediss:`, `postgres:` or `postgresql:`.
 * @throws CONFIG_INVALID
 */
export const openSharedBackend = async (url: string): Promise<QueueBackend> => {
  const { protocol } = new URL(url);
  if (protocol === 'redis:' || protocol === 'rediss:') {
    return {
      ...(withBackend(createRedisBackend) as unknown as Classes),
      // A worker waits for the server to come back, for as long as that takes.
      connection: { url, maxRetriesPerRequest: null } as never,
      close: async () => {},
    };
  }
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw runnerError('CONFIG_INVALID', `a queue can't be at ${protocol}//`);
  }
  const pool = openPool(url);
  const client = await pool.connect();
  try {
    await runMigrations(client as never);
  } finally {
    client.release();
  }
  return { ...databaseBackend({ pool }), close: () => pool.end() };
};
