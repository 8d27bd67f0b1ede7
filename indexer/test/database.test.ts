import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSchemaName, type Database } from '../src/database/database.ts';
import { testDatabases } from './support/index.ts';

describe.each(testDatabases)('database on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await database.execute(`CREATE SCHEMA "${database.schema}"`);
    await database.execute('CREATE TABLE notes (id bigint PRIMARY KEY, amount numeric(78, 0), extra jsonb)');
  });
  afterAll(() => database.close());

  it('reads bigint as numbers, numeric as decimal strings, jsonb as values', async () => {
    const max = 2n ** 256n - 1n;
    await database.query('INSERT INTO notes VALUES ($1, $2, $3)', [2 ** 40, max, '{"a": [1]}']);
    expect(await database.query('SELECT * FROM notes')).toEqual([
      { id: 2 ** 40, amount: max.toString(), extra: { a: [1] } },
    ]);
    await database.query('DELETE FROM notes');
  });

  it('commits all of a transaction or none of it', async () => {
    const attempt = database.transaction(async (tx) => {
      await tx.query('INSERT INTO notes (id) VALUES (1)');
      await tx.query('INSERT INTO notes (id) VALUES (1)');
    });
    await expect(attempt).rejects.toMatchObject({ code: '23505' });
    await database.transaction((tx) => tx.query('INSERT INTO notes (id) VALUES (2)'));
    expect(await database.query('SELECT id FROM notes')).toEqual([{ id: 2 }]);
  });

  it('runs transactions of one caller after another', async () => {
    await database.query('DELETE FROM notes');
    await Promise.all(
      Array.from({ length: 20 }, (_, id) =>
        database.transaction(async (tx) => {
          await tx.query('LOCK TABLE notes');
          const [row] = await tx.query<{ n: number }>('SELECT count(*) AS n FROM notes');
          await tx.query('INSERT INTO notes (id, amount) VALUES ($1, $2)', [id, row?.n ?? -1]);
        }),
      ),
    );
    const counts = await database.query<{ amount: string }>('SELECT amount FROM notes ORDER BY amount');
    expect(counts.map(({ amount }) => Number(amount))).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('refuses to write in a snapshot', async () => {
    const write = database.snapshot((tx) => tx.query('INSERT INTO notes (id) VALUES (99)'));
    await expect(write).rejects.toMatchObject({ code: '25006' });
  });

  it('delivers notices when the transaction commits, and none of a rollback', async () => {
    const heard: (string | undefined)[] = [];
    const stop = await database.listen('notes_moved', (payload) => heard.push(payload));
    await database
      .transaction(async (tx) => {
        await tx.query('SELECT pg_notify($1, $2)', ['notes_moved', 'lost']);
        throw new Error('no');
      })
      .catch(() => undefined);
    await database.transaction(async (tx) => {
      await tx.query('SELECT pg_notify($1, $2)', ['notes_moved', 'kept']);
      expect(heard).toEqual([]);
    });
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['kept']);
    await stop();
    await database.query('SELECT pg_notify($1, $2)', ['notes_moved', 'late']);
    expect(heard).toEqual(['kept']);
  });

  it('gives each scope its own schema, also when they take turns', async () => {
    const other = database.scoped({ schema: `${database.schema}_b` });
    await other.execute(`CREATE SCHEMA "${other.schema}"; CREATE TABLE "${other.schema}".notes (id bigint)`);
    await Promise.all([
      ...Array.from({ length: 5 }, (_, id) => other.query('INSERT INTO notes (id) VALUES ($1)', [500 + id])),
      ...Array.from({ length: 5 }, (_, id) => database.query('INSERT INTO notes (id) VALUES ($1)', [600 + id])),
    ]);
    expect(await other.query('SELECT count(*) AS n FROM notes WHERE id >= 500 AND id < 600')).toEqual([{ n: 5 }]);
    expect(await database.query('SELECT count(*) AS n FROM notes WHERE id >= 500')).toEqual([{ n: 5 }]);
    await other.execute(`DROP SCHEMA "${other.schema}" CASCADE`);
  });

  it('ends a statement that takes too long, where there is a clock', async () => {
    if (database.engine === 'pglite') return;
    const hurried = database.scoped({ statementTimeoutMs: 50, readOnly: true });
    const slow = hurried.query('SELECT count(*) FROM generate_series(1, 20000000)');
    await expect(slow).rejects.toMatchObject({ code: '57014' });
    await expect(hurried.query('DELETE FROM notes')).rejects.toMatchObject({ code: '25006' });
  });
});

describe('schema names', () => {
  it.each(['chain_901', 'a', '_x'])('takes %s', (name) => expect(checkSchemaName(name)).toBe(name));
  it.each(['', '1a', 'A', 'a-b', 'a"; DROP SCHEMA public', 'x'.repeat(60)])('refuses %s', (name) =>
    expect(() => checkSchemaName(name)).toThrow(expect.objectContaining({ code: 'DATABASE_NAME_INVALID' })),
  );
});
