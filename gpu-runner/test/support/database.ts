import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openRunnerDatabase, type RunnerDatabase } from '../../src/queue/database.ts';

export const tempFolder = (): string => mkdtempSync(join(tmpdir(), 'openledger-runner-'));

/** One embedded database for the whole test file, empty before each test. Call it at the top level. */
export const useDatabase = (): (() => RunnerDatabase) => {
  const folder = tempFolder();
  let database: RunnerDatabase;
  beforeAll(async () => {
    database = await openRunnerDatabase({ dataDir: folder });
  });
  beforeEach(() =>
    database
      .query('TRUNCATE runner.served, runner.sources, runner.settlements, runner.transcripts, runner.api_keys')
      .then(() => {}),
  );
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => database;
};
