import { mkdirSync } from 'node:fs';
import type { LevelDb } from '@openledger/event-log';
import { ClassicLevel } from 'classic-level';

/** The database in this folder, which is made when it isn't there. One process at a time can have it open. */
export const openLevelDb = async (folder: string): Promise<LevelDb> => {
  mkdirSync(folder, { recursive: true });
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  return level as unknown as LevelDb;
};
