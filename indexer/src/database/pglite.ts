import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { indexerError } from '../errors.ts';
import { checkSchemaName, type Database, type Queryable, type ScopeOptions, toSqlParameter } from './database.ts';

export type PgliteOptions = {
  schema: string;
  /** Absent: in memory. */
  dataDir?: string;
  /** A dumped data directory to start from; a fresh one costs about four seconds, this half a second. */
  template?: Blob;
};

const INT8 = 20;

/**
 * PGlite has one session for everybody. The engine hands it to one caller at a time, for a statement or a whole
 * transaction, and sets the caller's search_path when the last caller had another one.
 */
class Session {
  readonly pglite: PGlite;
  #tail: Promise<unknown> = Promise.resolve();
  #schema: string | undefined;
  #closed = false;

  constructor(pglite: PGlite) {
    this.pglite = pglite;
  }

  run<T>(schema: string, task: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => {
      if (this.#closed) throw indexerError('DATABASE_CLOSED', 'the embedded database is closed');
      if (this.#schema !== schema) {
        await this.pglite.exec(`SET search_path TO "${schema}"`);
        this.#schema = schema;
      }
      return task();
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  close(): Promise<void> {
    const turn = this.#tail.then(async () => {
      if (this.#closed) return;
      this.#closed = true;
      await this.pglite.close();
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

const queryable = (pglite: PGlite): Queryable => ({
  query: async <R extends object>(sql: string, values: Parameters<Queryable['query']>[1] = []) => {
    try {
      return (await pglite.query<R>(sql, values.map(toSqlParameter))).rows;
    } catch (error) {
      // PGlite hangs the values on its errors; those of a batch would fill a log.
      if (error instanceof Error && 'params' in error) delete error.params;
      throw error;
    }
  },
  execute: async (script) => {
    await pglite.exec(script);
  },
});

const scope = (session: Session, schema: string): Database => {
  const direct = queryable(session.pglite);
  const within = <T>(begin: string, run: (tx: Queryable) => Promise<T>): Promise<T> =>
    session.run(schema, async () => {
      await direct.execute(begin);
      try {
        const result = await run(direct);
        await direct.execute('COMMIT');
        return result;
      } catch (error) {
        await direct.execute('ROLLBACK');
        throw error;
      }
    });
  return {
    schema,
    engine: 'pglite',
    query: (sql, values) => session.run(schema, () => direct.query(sql, values)),
    execute: (script) => session.run(schema, () => direct.execute(script)),
    transaction: (run) => within('BEGIN', run),
    snapshot: (run) => within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', run),
    listen: async (channel, onNotice) => {
      const stop = await session.run(schema, () => session.pglite.listen(channel, onNotice));
      return () => session.run(schema, () => stop()).catch(() => undefined);
    },
    scoped: (options: ScopeOptions) => scope(session, checkSchemaName(options.schema ?? schema)),
    close: () => session.close(),
  };
};

/** Effects: creates the data directory when it isn't there. Durability is PostgreSQL's own, not relaxed. */
export const openPglite = async (options: PgliteOptions): Promise<Database> => {
  const schema = checkSchemaName(options.schema);
  if (options.dataDir !== undefined) await mkdir(options.dataDir, { recursive: true });
  const pglite = await PGlite.create({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.template === undefined ? {} : { loadDataDir: options.template }),
    relaxedDurability: false,
    parsers: { [INT8]: Number },
  });
  return scope(new Session(pglite), schema);
};
