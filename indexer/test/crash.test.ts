import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@openledger/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../src/checkpoint.ts';
import { openPglite } from '../src/database/pglite.ts';
import { rebuild } from '../src/rebuild.ts';
import { viewHash } from '../src/viewHash.ts';
import { pgliteTemplate, project, TestChain } from './support/index.ts';

describe('kill -9', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'openledger-views-'));
    const database = await openPglite({ schema: 'chain_1', dataDir, template: await pgliteTemplate() });
    await database.close();
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  const killAfter = (seq: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const script = fileURLToPath(new URL('./support/crashChild.ts', import.meta.url));
      const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir, '77']);
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      child.stdout.on('data', (chunk) => {
        const reached = Number(String(chunk).trim().split('\n').at(-1));
        if (reached > seq) child.kill('SIGKILL');
      });
      child.on('exit', (_code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(errors))));
    });

  it('loses nothing and repeats nothing', async () => {
    await killAfter(10);
    await killAfter(60);
    const database = await openPglite({ schema: 'chain_1', dataDir });
    const { seq } = await loadCheckpoint(database);
    expect(seq).toBeGreaterThan(60);
    const chain = await TestChain.open(77);
    await chain.mineMany(140, 3);
    await project(chain.log, database);
    const survived = await viewHash(database);
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(survived);
    await database.close();
  }, 90_000);
});
