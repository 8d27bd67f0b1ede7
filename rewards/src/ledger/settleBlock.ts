import type { ChainEvent } from '@openledger/event-log';
import { applyState } from './applyState.ts';
import { batchesOf } from './batch.ts';
import type { CreditSink } from './creditSink.ts';
import type { LedgerState } from './ledgerState.ts';
import { recordTrainings, settleBatch } from './settleBatch.ts';

/**
 * Folds one block: first what changes owners, stakes and contributions, then what was settled. So a settlement sees the state
 * at the end of its block, which contracts can look up at any later time.
 */
export const settleBlock = (state: LedgerState, events: readonly ChainEvent[], sink: CreditSink): void => {
  for (const event of events) applyState(state, event);
  const batches = batchesOf(events, state);
  for (const batch of batches) recordTrainings(state, batch);
  for (const batch of batches) settleBatch(state, batch, sink);
};
