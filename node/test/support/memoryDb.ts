import type { LevelDb } from '@openledger/event-log';
import { MemoryLevel } from 'memory-level';

/** A database that lives as long as the test. */
export const openMemoryDb = (): LevelDb =>
  new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' }) as unknown as LevelDb;
