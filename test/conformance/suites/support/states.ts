import type { LevelDb } from '@openledger/event-log';
import { MemoryLevel } from 'memory-level';
import { StateStore } from '../../../../node/src/state/stateStore.ts';

/** An empty world state that nothing persists. */
export const openStates = (): StateStore => {
  const db = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
  return new StateStore(db as unknown as LevelDb);
};
