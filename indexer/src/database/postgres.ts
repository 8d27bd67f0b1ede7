import { sleep } from '@openledger/kit';
import pg from 'pg';
import { checkSchemaName, type Database, type Queryable, type ScopeOptions, toSqlParameter } from './database.ts';

export type PostgresOptions = {
  url: string;
  schema: string;
  /** Connections of one scope's pool. */
  poolSize?: number;
  onError?: (error: unknown) => void;
};

const INT8 = 20;
const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

const queryable = (client: pg.Pool | pg.ClientBase): Queryable => ({
  query: async <R extends object>(sql: string, values: Parameters<Queryable['query']>[1] = []) =>
    (await client.query(sql, values.map(toSqlParameter))).rows as R[],
  execute: async (script) => {
    await client.query(script);
  },
});

/** Session settings go along with the connection request: a pooled connection never lacks them. */
const sessionSettings = (scope: ScopeOptions & { schema: string }): string =>
  [
    `-c search_path="${scope.schema}"`,
    ...(scope.statementTimeoutMs === undefined ? [] : [`-c statement_timeout=${scope.statementTimeoutMs}`]),
    ...(scope.readOnly ? ['-c default_transaction_read_only=on'] : []),
  ].join(' ');

const open = (options: PostgresOptions, settings: ScopeOptions & { schema: string }): Database => {
  const connection = {
    connectionString: options.url,
    options: sessionSettings(settings),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types,
  };
  const onError = options.onError ?? (() => undefined);
  const pool = new pg.Pool({ ...connection, max: options.poolSize ?? 8 });
  pool.on('error', onError);
  const children: Database[] = [];
  const listeners = new Set<() => Promise<void>>();
  let closing: Promise<void> | undefined;

  const within = async <T>(begin: string, run: (tx: Queryable) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(begin);
      const result = await run(queryable(client));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((cause: Error) => {
        broken = cause;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  };

  const closeAll = async () => {
    await Promise.all([...listeners].map((stop) => stop()));
    await Promise.all(children.map((child) => child.close()));
    await pool.end();
  };

  const direct = queryable(pool);
  return {
    schema: settings.schema,
    engine: 'postgres',
    query: direct.query,
    execute: direct.execute,
    transaction: (run) => within('BEGIN', run),
    snapshot: (run) => within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', run),
    listen: async (channel, onNotice) => {
      const stop = await listenForever(connection, channel, onNotice, onError);
      const stopOnce = async () => {
        if (listeners.delete(stopOnce)) await stop();
      };
      listeners.add(stopOnce);
      return stopOnce;
    },
    scoped: (scope) => {
      const child = open(options, { ...settings, ...scope, schema: checkSchemaName(scope.schema ?? settings.schema) });
      children.push(child);
      return child;
    },
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
};

/** A connection of its own for LISTEN; after a loss it comes back and tells the listener to look again. */
const listenForever = async (
  connection: pg.ClientConfig,
  channel: string,
  onNotice: (payload: string | undefined) => void,
  onError: (error: unknown) => void,
): Promise<() => Promise<void>> => {
  const abort = new AbortController();
  let client: pg.Client | undefined;

  const connect = async (): Promise<void> => {
    const next = new pg.Client(connection);
    next.on('notification', (message) => onNotice(message.payload));
    next.on('error', onError);
    await next.connect();
    await next.query(`LISTEN "${channel}"`);
    next.once('end', () => void reconnect());
    client = next;
  };
  const reconnect = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await sleep(RECONNECT_MS, abort.signal);
      if (abort.signal.aborted) return;
      try {
        await connect();
        onNotice(undefined);
        return;
      } catch (error) {
        onError(error);
      }
    }
  };

  await connect();
  return async () => {
    abort.abort();
    await client?.end();
  };
};

/** Connects on first use. The URL must lead to the server itself or to a pooler in session mode. */
export const openPostgres = (options: PostgresOptions): Database =>
  open(options, { schema: checkSchemaName(options.schema) });
