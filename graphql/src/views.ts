import { type Queryable, type ReadRows, type SqlValue, viewColumns } from '@openledger/indexer/views';
import DataLoader from 'dataloader';
import { requestError } from './errors.ts';

export type TableName = keyof ReadRows;
export type Key = Readonly<Record<string, string | number>>;

export type Related = {
  table: TableName;
  /** The column of `table` that names the parent. */
  column: string;
  orderBy: string;
  limit: number;
  /** Only the first row, by `orderBy`, of each value of this column. */
  distinctOn?: string;
};

/**
 * One request's window on the views. Rows asked for while the same level of a query is resolved are fetched in one
 * statement, each row once.
 */
export type Views = {
  query<R extends object>(sql: string, values?: readonly SqlValue[]): Promise<R[]>;
  /** The row with these column values; the first by `orderBy` when there may be several. */
  one<T extends TableName>(table: T, key: Key, orderBy?: string): Promise<ReadRows[T] | null>;
  /** The row at `position`, or the last before it. */
  last(table: 'events', position: number): Promise<ReadRows['events'] | null>;
  /** The rows of each parent, at most `limit`. */
  related<T extends TableName>(related: Related & { table: T }, parent: string | number): Promise<ReadRows[T][]>;
  /** Rows are kept as they were first read; a subscription calls this for each update, because it outlives them. */
  forget(): void;
};

const MAX_BATCH = 500;

export const createViews = (database: Queryable, deadline?: () => number | undefined): Views => {
  const query: Views['query'] = (sql, values) => withDeadline(database.query(sql, values), deadline?.());
  const loaders = new Map<string, DataLoader<string, object | null> | DataLoader<string, object[]>>();

  const loaderOf = <V>(name: string, load: (keys: readonly string[]) => Promise<V[]>): DataLoader<string, V> => {
    const present = loaders.get(name) as DataLoader<string, V> | undefined;
    if (present) return present;
    const loader = new DataLoader<string, V>(load, { maxBatchSize: MAX_BATCH });
    loaders.set(name, loader as unknown as DataLoader<string, object | null>);
    return loader;
  };

  return {
    query,
    forget: () => loaders.clear(),
    one: async <T extends TableName>(table: T, key: Key, orderBy?: string) => {
      const columns = Object.keys(key).sort();
      const loader = loaderOf<object | null>(`${table} ${columns.join()} ${orderBy}`, (keys) =>
        loadOne(query, table, columns, orderBy, keys),
      );
      return (await loader.load(JSON.stringify(columns.map((column) => String(key[column]))))) as ReadRows[T] | null;
    },
    last: async (table, position) => {
      const loader = loaderOf<object | null>(`${table} last`, (keys) => loadLast(query, table, keys));
      return (await loader.load(String(position))) as ReadRows['events'] | null;
    },
    related: async <T extends TableName>(related: Related & { table: T }, parent: string | number) => {
      const { table, column, orderBy, limit } = related;
      const loader = loaderOf<object[]>(`${table} ${column} ${orderBy} ${limit}`, (keys) =>
        loadRelated(query, related, keys),
      );
      return (await loader.load(String(parent))) as ReadRows[T][];
    },
  };
};

type Numbered = { nr: number; row: object };

const loadOne = async (
  query: Views['query'],
  table: TableName,
  columns: readonly string[],
  orderBy: string | undefined,
  keys: readonly string[],
): Promise<(object | null)[]> => {
  const wanted = keys.map((key, nr) => {
    const values = JSON.parse(key) as string[];
    return { nr, ...Object.fromEntries(columns.map((column, index) => [column, values[index]])) };
  });
  const rows = await query<Numbered & Record<string, unknown>>(
    `SELECT w.nr, t.* FROM json_to_recordset($1::json) w(nr integer, ${columns.map((c) => `${c} text`).join(', ')})
     CROSS JOIN LATERAL (SELECT * FROM ${table} t WHERE ${columns.map((c) => `t.${c} = ${cast(table, c)}`).join(' AND ')}
       ${orderBy === undefined ? '' : `ORDER BY ${orderBy}`} LIMIT 1) t`,
    [JSON.stringify(wanted)],
  );
  const found = new Map(rows.map(({ nr, ...row }) => [nr, row]));
  return keys.map((_key, nr) => found.get(nr) ?? null);
};

const loadLast = async (
  query: Views['query'],
  table: TableName,
  positions: readonly string[],
): Promise<(object | null)[]> => {
  const rows = await query<Numbered & Record<string, unknown>>(
    `SELECT w.nr, t.* FROM json_to_recordset($1::json) w(nr integer, position bigint) CROSS JOIN LATERAL
       (SELECT * FROM ${table} t WHERE t.position <= w.position ORDER BY t.position DESC LIMIT 1) t`,
    [JSON.stringify(positions.map((position, nr) => ({ nr, position: Number(position) })))],
  );
  const found = new Map(rows.map(({ nr, ...row }) => [nr, row]));
  return positions.map((_position, nr) => found.get(nr) ?? null);
};

const loadRelated = async (query: Views['query'], related: Related, keys: readonly string[]): Promise<object[][]> => {
  const { table, column, orderBy, limit, distinctOn } = related;
  const distinct = distinctOn === undefined ? '' : `DISTINCT ON (${distinctOn})`;
  const rows = await query<Numbered & Record<string, unknown>>(
    `SELECT w.nr, t.* FROM json_to_recordset($1::json) w(nr integer, ${column} text)
     CROSS JOIN LATERAL (SELECT ${distinct} * FROM ${table} t WHERE t.${column} = ${cast(table, column)} ORDER BY ${orderBy} LIMIT ${limit}) t
     ORDER BY w.nr, ${orderBy}`,
    [JSON.stringify(keys.map((key, nr) => ({ nr, [column]: key })))],
  );
  const groups = keys.map((): object[] => []);
  for (const { nr, ...row } of rows) groups[nr]?.push(row);
  return groups;
};

/** Keys come from clients as text; their column says what they have to be. */
export const columnType = (table: TableName, column: string): string =>
  (viewColumns[table] as Readonly<Record<string, string>>)[column] ?? 'text';

const cast = (table: TableName, column: string): string => `w.${column}::${columnType(table, column)}`;

/** The answer that comes too late is dropped; the server's own statement timeout ends the work behind it. */
const withDeadline = async <T>(answer: Promise<T>, deadline: number | undefined): Promise<T> => {
  if (deadline === undefined) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(requestError('TIMEOUT', 'the query took too long')),
      Math.max(0, deadline - Date.now()),
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
};
