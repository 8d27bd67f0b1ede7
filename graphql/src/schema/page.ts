import type { ReadRows, SqlValue } from '@openledger/indexer/views';
import { requestError } from '../errors.ts';
import { columnType, type TableName, type Views } from '../views.ts';

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;
/** Counting stops here, so that a long list costs no more than a page of an index. */
const MAX_COUNT = 10_000;

export type PageArgs = {
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
};

/** A piece of a WHERE clause; each `$` stands for the next value. */
export type Condition = { sql: string; values: readonly SqlValue[] };

type Maybe<T> = T | null | undefined;

/** Conditions of filters that were not given are left out. */
export const where = (...conditions: (Condition | undefined)[]): Condition[] =>
  conditions.filter((condition) => condition !== undefined);
export const equals = (column: string, value: Maybe<SqlValue>): Condition | undefined =>
  value === undefined || value === null ? undefined : { sql: `${column} = $`, values: [value] };
export const atLeast = (column: string, value: Maybe<SqlValue>): Condition | undefined =>
  value === undefined || value === null ? undefined : { sql: `${column} >= $`, values: [value] };
export const below = (column: string, value: Maybe<SqlValue>): Condition | undefined =>
  value === undefined || value === null ? undefined : { sql: `${column} < $`, values: [value] };
export const oneOf = (column: string, values: Maybe<readonly string[]>): Condition | undefined => {
  if (values === undefined || values === null) return undefined;
  return values.length === 0
    ? { sql: 'false', values: [] }
    : { sql: `${column} IN (${values.map(() => '$').join(', ')})`, values };
};

/** Sort columns, most significant first; together they name one row. */
export type Order = readonly { column: string; descending: boolean }[];

export type PageRequest<T extends TableName> = {
  table: T;
  where?: readonly Condition[];
  order: Order;
};

export type Page<R> = {
  edges: { cursor: string; node: R }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  count: () => Promise<number | null>;
};

export type Direction = 'OLDEST_FIRST' | 'NEWEST_FIRST';

export const byColumn = (column: string, direction: Maybe<Direction> = 'NEWEST_FIRST'): Order => [
  { column, descending: direction !== 'OLDEST_FIRST' },
];

/** As `position` orders them; the block comes first because the index by which a contribution's blocks are found ends with it. */
export const attributionOrder = (direction: Maybe<Direction> = 'NEWEST_FIRST'): Order => [
  ...byColumn('block_position', direction),
  ...byColumn('position', direction),
];

/**
 * A page by keyset: the rows after (or before) the cursor's values in index order, so that the last page costs what the
 * first does, and rows that come in meanwhile shift nothing.
 */
export const page = async <T extends TableName>(
  views: Views,
  request: PageRequest<T>,
  args: PageArgs,
): Promise<Page<ReadRows[T]>> => {
  const { table, order } = request;
  const backwards = typeof args.last === 'number';
  const size = pageSize(args);
  const bounds = [
    ...(typeof args.after === 'string' ? [beyond(order, decodeCursor(args.after, table, order))] : []),
    ...(typeof args.before === 'string' ? [beyond(reversed(order), decodeCursor(args.before, table, order))] : []),
  ];
  const filter = request.where ?? [];
  const { sql, values } = conjunction([...filter, ...bounds]);
  const sorted = (backwards ? reversed(order) : order).map((o) => `${o.column} ${o.descending ? 'DESC' : 'ASC'}`);
  const found = await views.query<ReadRows[T]>(
    `SELECT * FROM ${table} ${sql} ORDER BY ${sorted.join(', ')} LIMIT ${size + 1}`,
    values,
  );
  const more = found.length > size;
  const rows = found.slice(0, size);
  if (backwards) rows.reverse();
  const edges = rows.map((node) => ({ cursor: encodeCursor(node, order), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: backwards ? typeof args.before === 'string' : more,
      hasPreviousPage: backwards ? more : typeof args.after === 'string',
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    count: () => countUpTo(views, table, filter),
  };
};

const pageSize = ({ first, last }: PageArgs): number => {
  const both = typeof first === 'number' && typeof last === 'number';
  const size = first ?? last ?? DEFAULT_PAGE;
  if (both || size < 1 || size > MAX_PAGE) {
    throw requestError('BAD_PAGE_SIZE', both ? 'first and last exclude each other' : `no page of ${size} items`);
  }
  return size;
};

const countUpTo = async (views: Views, table: TableName, filter: readonly Condition[]): Promise<number | null> => {
  const { sql, values } = conjunction(filter);
  const [row] = await views.query<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT FROM ${table} ${sql} LIMIT ${MAX_COUNT + 1}) t`,
    values,
  );
  return row && row.n <= MAX_COUNT ? row.n : null;
};

const conjunction = (conditions: readonly Condition[]): Condition => {
  if (conditions.length === 0) return { sql: '', values: [] };
  let index = 0;
  const sql = conditions.map((condition) => condition.sql.replaceAll('$', () => `$${++index}`)).join(' AND ');
  return { sql: `WHERE ${sql}`, values: conditions.flatMap((condition) => condition.values) };
};

const reversed = (order: Order): Order => order.map(({ column, descending }) => ({ column, descending: !descending }));

/**
 * Rows after the given values. The first comparison alone bounds the index range; row comparison can't be used because
 * columns may go in different directions.
 */
const beyond = (order: Order, values: readonly SqlValue[]): Condition => {
  const used: SqlValue[] = [];
  const compare = (depth: number, or: string): string => {
    const { column, descending } = order[depth] ?? { column: 'false', descending: false };
    used.push(values[depth] ?? null);
    return `${column} ${descending ? '<' : '>'}${or} $`;
  };
  const strictly = (depth: number): string => {
    const here = compare(depth, '');
    if (depth === order.length - 1) return here;
    used.push(values[depth] ?? null);
    return `(${here} OR (${order[depth]?.column} = $ AND ${strictly(depth + 1)}))`;
  };
  const bound = order.length > 1 ? `${compare(0, '=')} AND ` : '';
  return { sql: `${bound}${strictly(0)}`, values: used };
};

/** The columns stand in the cursor, so that one of another order is told apart. */
const orderTag = (order: Order): string => order.map((o) => `${o.descending ? '-' : ''}${o.column}`).join();

const encodeCursor = (row: object, order: Order): string => {
  const cells = row as Record<string, unknown>;
  return Buffer.from(JSON.stringify([orderTag(order), ...order.map((o) => cells[o.column])])).toString('base64url');
};

const decodeCursor = (cursor: string, table: TableName, order: Order): SqlValue[] => {
  const bad = () => requestError('BAD_CURSOR', 'the cursor is not one of this list');
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw bad();
  }
  if (!Array.isArray(decoded) || decoded.length !== order.length + 1 || decoded[0] !== orderTag(order)) throw bad();
  return order.map(({ column }, index) => {
    const value: unknown = decoded[index + 1];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    const type = columnType(table, column);
    const valid =
      type === 'text'
        ? /^[\w-]{1,100}$/.test(text)
        : type === 'bigint'
          ? /^\d{1,15}$/.test(text)
          : /^\d{1,78}$/.test(text);
    if (!valid) throw bad();
    return text;
  });
};
