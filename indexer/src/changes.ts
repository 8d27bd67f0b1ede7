import type { Queryable } from './database/database.ts';
import type { ViewRows } from './views/generated.ts';
import { type TableName, tableNames, viewTables } from './views/tables.ts';

/** What may be written into a column: numeric columns take bigints or numbers, and jsonb ones any value. */
type Cell<V> = V extends string ? V | bigint : V;
export type Cells<T extends TableName> = { [K in keyof ViewRows[T]]?: Cell<ViewRows[T][K]> };
type Sums<T extends TableName> = { [K in keyof ViewRows[T]]?: bigint };

type Mode = 'insert' | 'update' | 'upsert';
type Change = { mode: Mode; set: Record<string, unknown>; add: Record<string, bigint> };

/**
 * The writes of one batch, merged row by row in the order of the events and sent as a few bulk statements a table. Nothing
 * is read: every change is an absolute value from an event or a sum, so a batch of a thousand blocks costs as many
 * statements as a single one.
 */
export class Changes {
  readonly #tables = new Map<TableName, Map<string, Change>>();
  readonly #marks = new Map<string, Set<string>>();

  /** A row that the log has never named before. */
  insert<T extends TableName>(table: T, row: Cells<T>): void {
    this.#merge(table, row, 'insert', row, {});
  }

  /** Changes a row if it is there; `add` is added to the present values. */
  update<T extends TableName>(table: T, key: Cells<T>, set: Cells<T>, add: Sums<T> = {}): void {
    this.#merge(table, key, 'update', set, add);
  }

  /** Changes a row, or makes it from the table's defaults. */
  upsert<T extends TableName>(table: T, key: Cells<T>, set: Cells<T>, add: Sums<T> = {}): void {
    this.#merge(table, key, 'upsert', set, add);
  }

  /** Remembers a key for a projection's `derive`. */
  mark(name: string, key: string): void {
    const marks = this.#marks.get(name) ?? new Set<string>();
    this.#marks.set(name, marks.add(key));
  }

  marked(name: string): readonly string[] {
    return [...(this.#marks.get(name) ?? [])];
  }

  async write(tx: Queryable): Promise<void> {
    for (const table of tableNames) {
      for (const { sql, rows } of statements(table, this.#tables.get(table))) await tx.query(sql, [toJson(rows)]);
    }
  }

  #merge(table: TableName, key: object, mode: Mode, set: object, add: object): void {
    const changes = this.#tables.get(table) ?? new Map<string, Change>();
    this.#tables.set(table, changes);
    const cells = key as Record<string, unknown>;
    const columns: readonly string[] = viewTables[table].key;
    const id = columns.map((column) => String(cells[column])).join(' ');
    const change = changes.get(id);
    // Whatever was to be changed before a row was inserted had no row to change.
    if (!change || mode === 'insert') {
      const keyCells = Object.fromEntries(columns.map((column) => [column, cells[column]]));
      changes.set(id, { mode, set: { ...keyCells, ...set }, add: { ...add } });
      return;
    }
    for (const [column, value] of Object.entries(set)) {
      change.set[column] = value;
      delete change.add[column];
    }
    for (const [column, value] of Object.entries(add as Record<string, bigint>)) {
      const absolute = change.set[column];
      if (absolute === undefined || absolute === null) change.add[column] = (change.add[column] ?? 0n) + value;
      else change.set[column] = BigInt(absolute as string) + value;
    }
  }
}

type Statement = { sql: string; rows: Record<string, unknown>[] };

/** One statement for each kind of change and set of columns. */
const statements = (table: TableName, changes: Map<string, Change> | undefined): Statement[] => {
  const groups = new Map<string, Statement>();
  for (const { mode, set, add } of changes?.values() ?? []) {
    const columns = Object.keys(set);
    const sums = Object.keys(add);
    const signature = `${mode} ${columns.join()} + ${sums.join()}`;
    let group = groups.get(signature);
    if (!group) {
      group = { sql: statement(table, mode, columns, sums), rows: [] };
      groups.set(signature, group);
    }
    group.rows.push(sums.length === 0 ? set : { ...set, ...add });
  }
  return [...groups.values()];
};

const statement = (table: TableName, mode: Mode, columns: readonly string[], sums: readonly string[]): string => {
  const key: readonly string[] = viewTables[table].key;
  const lookup: Record<string, string | undefined> = viewTables[table].lookup ?? {};
  const source = `json_populate_recordset(null::${table}, $1::json) n`;
  const changed = columns.filter((column) => !key.includes(column));
  if (mode === 'update') {
    const assignments = [...changed.map((c) => `${c} = n.${c}`), ...sums.map((c) => `${c} = t.${c} + n.${c}`)];
    return `UPDATE ${table} t SET ${assignments.join(', ')} FROM ${source} WHERE ${key.map((c) => `t.${c} = n.${c}`).join(' AND ')}`;
  }
  const filled = [...new Set([...columns, ...sums, ...Object.keys(lookup)])];
  const insert =
    `INSERT INTO ${table} AS t (${filled.join(', ')}) ` +
    `SELECT ${filled.map((c) => lookup[c] ?? `n.${c}`).join(', ')} FROM ${source}`;
  if (mode === 'insert') return insert;
  const assignments = [
    ...changed.map((c) => `${c} = excluded.${c}`),
    ...sums.map((c) => `${c} = t.${c} + excluded.${c}`),
  ];
  return `${insert} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${assignments.join(', ')}`;
};

/** PostgreSQL's text holds neither NUL nor half of a surrogate pair, both of which anybody can put into a file name. */
const UNSTORABLE = /\0|\p{Surrogate}/gu;
export const storableText = (text: string): string => text.replace(UNSTORABLE, '\uFFFD');

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, cell) =>
    typeof cell === 'bigint' ? cell.toString() : typeof cell === 'string' ? storableText(cell) : cell,
  );
