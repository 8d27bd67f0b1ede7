import { createHash } from 'node:crypto';
import type { Database, Queryable } from './database/database.ts';
import { type TableName, tableNames, viewTables } from './views/tables.ts';

const PAGE = 5_000;

/** One hash over all rows of all views, in key order: equal on two machines whose views show the same. */
export const viewHash = (database: Database): Promise<`0x${string}`> =>
  database.snapshot(async (tx) => {
    const hash = createHash('sha256');
    for (const table of tableNames) {
      hash.update(`${table}\n`);
      for await (const row of orderedRows(tx, table)) hash.update(`${row}\n`);
    }
    return `0x${hash.digest('hex')}` as const;
  });

/** A server-side cursor: the tables may be larger than memory. */
async function* orderedRows(tx: Queryable, table: TableName): AsyncIterable<string> {
  await tx.execute(`DECLARE view_rows NO SCROLL CURSOR FOR
    SELECT to_jsonb(t)::text AS row FROM ${table} t ORDER BY ${viewTables[table].key.join(', ')}`);
  for (;;) {
    const page = await tx.query<{ row: string }>(`FETCH ${PAGE} FROM view_rows`);
    for (const { row } of page) yield row;
    if (page.length < PAGE) break;
  }
  await tx.execute('CLOSE view_rows');
}
