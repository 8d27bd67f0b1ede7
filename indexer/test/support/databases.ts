import { createHash } from 'node:crypto';
import { existsSync, openAsBlob } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { openPostgres } from '../../src/database/postgres.ts';

export type TestDatabase = { name: string; open(): Promise<Database> };

const root = join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')), '../../../..');
const cache = join(root, 'node_modules/.cache/openledger');

/** An empty data directory, made once per PGlite build and machine: a fresh one costs seconds. */
export const pgliteTemplate = async (): Promise<Blob> => {
  const version = createHash('sha256').update(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  const file = join(cache, `pglite-${version.digest('hex').slice(0, 12)}.tar`);
  if (!existsSync(file)) {
    const pglite = await PGlite.create();
    const dump = await pglite.dumpDataDir('none');
    await pglite.close();
    await mkdir(cache, { recursive: true });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, new Uint8Array(await dump.arrayBuffer()));
    await rename(draft, file);
  }
  return openAsBlob(file);
};

let counter = 0;
/** Tests share a database and have a schema each, as chains do. */
export const freshSchema = (): string => `test_${process.pid}_${++counter}`;

let shared: Promise<Database> | undefined;
/** One PGlite for the test file; each caller gets a schema of its own. */
const openSharedPglite = async (): Promise<Database> => {
  shared ??= pgliteTemplate().then((blob) => openPglite({ schema: 'shared', template: blob }));
  const database = (await shared).scoped({ schema: freshSchema() });
  return { ...database, close: () => database.execute(`DROP SCHEMA IF EXISTS "${database.schema}" CASCADE`) };
};

const url = process.env.OPENLEDGER_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

const reachable = async (): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (cause) {
    if (process.env.OPENLEDGER_REQUIRE_SERVICES === '1') throw cause;
    return false;
  }
};

const openTestPostgres = async (): Promise<Database> => {
  const database = openPostgres({ url, schema: freshSchema(), poolSize: 4 });
  return {
    ...database,
    close: async () => {
      await database.execute(`DROP SCHEMA IF EXISTS "${database.schema}" CASCADE`);
      await database.close();
    },
  };
};

/** The engines that a contract suite runs on; PostgreSQL is left out where there is none, unless it is required. */
export const testDatabases: readonly TestDatabase[] = [
  { name: 'PGlite', open: openSharedPglite },
  ...((await reachable()) ? [{ name: 'PostgreSQL', open: openTestPostgres }] : []),
];

export const openTestDatabase = openSharedPglite;
