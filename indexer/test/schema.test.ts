import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { describeSchema, describeViewTypes } from '../scripts/describeSchema.ts';
import { loadCheckpoint } from '../src/checkpoint.ts';
import type { Database } from '../src/database/database.ts';
import { migrate, readMigrations } from '../src/migrate.ts';
import { tableNames, viewTables } from '../src/views/tables.ts';
import { testDatabases } from './support/index.ts';

const checkedIn = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
/** Formatting is another tool's business. */
const words = (text: string) => text.split(/[\s,;|"']+/).filter((word) => word !== '');

describe.each(testDatabases)('schema on $name', ({ open }) => {
  let database: Database;
  afterEach(() => database.close());

  it('is what the migrations make, and so are the view types', async () => {
    database = await open();
    await migrate(database);
    await migrate(database);
    expect(words(await describeSchema(database))).toEqual(words(await checkedIn('../schema.sql')));
    expect(words(await describeViewTypes(database))).toEqual(words(await checkedIn('../src/views/generated.ts')));
  });

  it('numbers its migrations without a gap', async () => {
    database = await open();
    const numbers = (await readMigrations()).map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('keeps history exactly for the tables that change in place', async () => {
    database = await open();
    await migrate(database);
    const triggers = await database.query<{ relation: string; arguments: string }>(
      `SELECT c.relname AS relation, encode(g.tgargs, 'escape') AS arguments FROM pg_trigger g
       JOIN pg_class c ON c.oid = g.tgrelid
       WHERE c.relnamespace = current_schema()::regnamespace AND g.tgname = 'journal_update'`,
    );
    const kept = Object.fromEntries(triggers.map((row) => [row.relation, row.arguments.split('\\000').slice(0, -1)]));
    const expected = tableNames.filter((table) => viewTables[table].history === 'journal');
    expect(kept).toEqual(Object.fromEntries(expected.map((table) => [table, [...viewTables[table].key]])));
  });

  it('refuses an edited migration and one of the future', async () => {
    database = await open();
    await migrate(database);
    await database.query(`UPDATE migrations SET digest = 'other' WHERE number = 2`);
    await expect(migrate(database)).rejects.toMatchObject({ code: 'INDEXER_MIGRATION_EDITED', handling: 'fatal' });
    await database.query('DELETE FROM migrations WHERE number = 2');
    await database.query('INSERT INTO migrations (number, name, digest) VALUES (999, $1, $1)', ['future']);
    await expect(migrate(database)).rejects.toMatchObject({ code: 'INDEXER_VIEWS_NEWER' });
  });

  it('refuses views that another projection made', async () => {
    database = await open();
    await migrate(database);
    await database.query('INSERT INTO checkpoint (projection_version, seq) VALUES (0, 5)');
    await expect(loadCheckpoint(database)).rejects.toMatchObject({ code: 'INDEXER_VIEWS_OUTDATED', handling: 'reset' });
    await database.query('UPDATE checkpoint SET projection_version = 99');
    await expect(loadCheckpoint(database)).rejects.toMatchObject({ code: 'INDEXER_VIEWS_NEWER', handling: 'fatal' });
  });
});
