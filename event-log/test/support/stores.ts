import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { MemoryLevel } from 'memory-level';
import type { LevelDb } from '../../src/eventLog.ts';

const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;

export const openMemory = (): LevelDb => new MemoryLevel<Uint8Array, Uint8Array>(encodings) as unknown as LevelDb;

/** A database in a folder of its own; closing it removes the folder. */
export const openDisk = async (): Promise<{ db: LevelDb; close(): Promise<void> }> => {
  const folder = mkdtempSync(join(tmpdir(), 'openledger-log-'));
  const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, encodings);
  await db.open();
  return {
    db: db as unknown as LevelDb,
    close: async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    },
  };
};
