import { indexerError } from '../errors.ts';

/** Values that travel to the database as they are; lists go as JSON text. */
export type SqlValue = string | number | bigint | boolean | null;
export type Row = Record<string, unknown>;

export type Queryable = {
  /** `bigint` columns come back as numbers (all of ours stay below 2^53), `numeric` ones as decimal strings. */
  query<R extends object = Row>(sql: string, values?: readonly SqlValue[]): Promise<R[]>;
  /** Several statements without values, such as a migration. */
  execute(script: string): Promise<void>;
};

export type ScopeOptions = {
  schema?: string;
  /** The server ends a statement that runs longer. PGlite has no clock of its own: there it is without effect. */
  statementTimeoutMs?: number;
  readOnly?: boolean;
};

/**
 * The one SQL dialect, PostgreSQL, on two engines. Unqualified names mean the tables of `schema`: every chain has a
 * schema of its own, so that several indexers can share a database.
 */
export type Database = Queryable & {
  readonly schema: string;
  readonly engine: 'pglite' | 'postgres';
  /** Commits when `run` resolves, rolls back when it rejects. Inside, use `tx` only: PGlite has a single session. */
  transaction<T>(run: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Read-only transaction in which all statements see one state. */
  snapshot<T>(run: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Calls back for each NOTIFY on `channel`, and once without payload after a lost connection came back. */
  listen(channel: string, onNotice: (payload: string | undefined) => void): Promise<() => Promise<void>>;
  /** Another view of the same database; it is closed together with this one. */
  scoped(options: ScopeOptions): Database;
  close(): Promise<void>;
};

const NAME = /^[a-z_][a-z0-9_]{0,50}$/;

/** Schema names become part of statements, so only plain ones are let in. */
export const checkSchemaName = (name: string): string => {
  if (!NAME.test(name)) throw indexerError('DATABASE_NAME_INVALID', `bad schema name ${JSON.stringify(name)}`);
  return name;
};

export const toSqlParameter = (value: SqlValue): string | number | boolean | null =>
  typeof value === 'bigint' ? value.toString() : value;
