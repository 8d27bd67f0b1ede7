import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sweepWork } from './sweepWork.ts';

const DAY = 24 * 3_600_000;

it('removes what nobody has gone on with for a month, and nothing else', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'openledger-work-'));
  const now = 1_800_000_000_000;
  const make = (name: string, folderDays: number, checkpointDays: number) => {
    const checkpoint = join(workDir, name, 'adapter', 'checkpoint');
    mkdirSync(checkpoint, { recursive: true });
    const state = join(checkpoint, 'state.safetensors');
    writeFileSync(state, 'x');
    const at = (days: number) => new Date(now - days * DAY);
    utimesSync(state, at(checkpointDays), at(checkpointDays));
    for (const folder of [checkpoint, join(checkpoint, '..'), join(workDir, name)]) {
      utimesSync(folder, at(folderDays), at(folderDays));
    }
  };
  make('abandoned', 31, 31);
  make('paused', 29, 29);
  make('long under way', 40, 1);
  await sweepWork(workDir, now);
  expect(readdirSync(workDir).sort()).toEqual(['long under way', 'paused']);
  rmSync(workDir, { recursive: true });
});
