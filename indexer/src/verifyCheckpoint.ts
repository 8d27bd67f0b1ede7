import type { EventReader } from '@openledger/event-log';
import { isOpenLedgerError } from '@openledger/kit';
import { type Checkpoint, checkpointAfter, sameBlock } from './checkpoint.ts';
import { indexerError } from './errors.ts';

/** @throws INDEXER_CHECKPOINT_UNKNOWN when the feed doesn't have the entry that the views end with. */
export const verifyCheckpoint = async (reader: EventReader, checkpoint: Checkpoint): Promise<void> => {
  if (checkpoint.seq === 0) return;
  const last = checkpoint.seq - 1;
  let cause: unknown;
  try {
    for await (const entry of reader.read(last, { limit: 1 })) {
      if (entry.seq === last && sameBlock(checkpointAfter(entry).block, checkpoint.block)) return;
    }
  } catch (error) {
    if (!isOpenLedgerError(error, 'LOG_POSITION_UNKNOWN')) throw error;
    cause = error;
  }
  const meta = { seq: checkpoint.seq, block: checkpoint.block?.number };
  const message = `the feed has no such entry before position ${checkpoint.seq} as the views end with`;
  throw indexerError('INDEXER_CHECKPOINT_UNKNOWN', message, meta, cause);
};
