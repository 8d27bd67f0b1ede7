import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LevelDb } from '@openledger/event-log';
import { ClassicLevel } from 'classic-level';

/** A LevelDB on disk, as a node has it, that goes away with `close`. */
export const openLevelDb = (): { readonly db: LevelDb; close(): Promise<void> } => {
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, encodings) as unknown as LevelDb;
  return {
    db,
    close: async () => {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
