import { type ErrorMeta, type Handling, OpenLedgerError } from '@openledger/kit';

export type IndexerErrorCode =
  | 'INDEXER_CHECKPOINT_UNKNOWN'
  | 'INDEXER_CHECKPOINT_MOVED'
  | 'INDEXER_FEED_DIVERGED'
  | 'INDEXER_REORG_TOO_DEEP'
  | 'INDEXER_VIEWS_OUTDATED'
  | 'INDEXER_VIEWS_NEWER'
  | 'INDEXER_MIGRATION_EDITED'
  | 'INDEXER_UNKNOWN_VALUE'
  | 'DATABASE_NAME_INVALID'
  | 'DATABASE_CLOSED';

const table: Record<IndexerErrorCode, { handling: Handling; action: string }> = {
  INDEXER_CHECKPOINT_UNKNOWN: {
    handling: 'reset',
    action: 'Rebuild the views: the log that they were made from is not the one that the feed serves.',
  },
  INDEXER_CHECKPOINT_MOVED: {
    handling: 'retry',
    action: 'Another indexer or a rebuild moved the checkpoint; the indexer goes on from there.',
  },
  INDEXER_FEED_DIVERGED: {
    handling: 'reset',
    action: 'Rebuild the views: the feed no longer continues the chain that they show.',
  },
  INDEXER_REORG_TOO_DEEP: {
    handling: 'reset',
    action: 'Rebuild the views: the reorg goes below the blocks that can be unwound.',
  },
  INDEXER_VIEWS_OUTDATED: { handling: 'reset', action: 'Rebuild the views: they were made by an older projection.' },
  INDEXER_VIEWS_NEWER: { handling: 'fatal', action: 'Upgrade this software: the views were made by a newer version.' },
  INDEXER_MIGRATION_EDITED: {
    handling: 'fatal',
    action: 'Restore the migration file; a change is a new migration.',
  },
  INDEXER_UNKNOWN_VALUE: { handling: 'fatal', action: 'Upgrade this software: the chain uses a newer vocabulary.' },
  DATABASE_NAME_INVALID: { handling: 'fatal', action: 'Use a lower-case name of letters, digits and underscores.' },
  DATABASE_CLOSED: { handling: 'retry', action: 'The database was closed; the process is ending.' },
};

export const indexerError = (code: IndexerErrorCode, message: string, meta: ErrorMeta = {}, cause?: unknown) =>
  new OpenLedgerError(message, { code, ...table[code], meta, cause });
