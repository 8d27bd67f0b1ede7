import type { Hex, LogEntry } from '@openledger/event-log';
import type { Queryable } from './database/database.ts';
import { indexerError } from './errors.ts';

/** Part of the views' meaning: raise it when a projection changes what it writes, so that old views are rebuilt. */
export const PROJECTION_VERSION = 2;

export type CheckpointBlock = { readonly number: bigint; readonly hash: Hex; readonly logHash: Hex };

/** The views show exactly the log's entries before `seq`; their last canonical block is `block`. */
export type Checkpoint = { readonly seq: number; readonly block: CheckpointBlock | null };

export const START: Checkpoint = { seq: 0, block: null };

export type CheckpointRow = {
  seq: number;
  block_number: number | null;
  block_hash: Hex | null;
  log_hash: Hex | null;
};

export const toCheckpoint = ({ seq, block_number, block_hash, log_hash }: CheckpointRow): Checkpoint => ({
  seq,
  block:
    block_number === null || block_hash === null || log_hash === null
      ? null
      : { number: BigInt(block_number), hash: block_hash, logHash: log_hash },
});

/** @throws INDEXER_VIEWS_OUTDATED or INDEXER_VIEWS_NEWER when the views mean something else to this software. */
export const loadCheckpoint = async (database: Queryable, options = { lock: false }): Promise<Checkpoint> => {
  const [row] = await database.query<CheckpointRow & { projection_version: number }>(
    `SELECT seq, block_number, block_hash, log_hash, projection_version FROM checkpoint${options.lock ? ' FOR UPDATE' : ''}`,
  );
  if (!row) return START;
  const version = row.projection_version;
  if (version !== PROJECTION_VERSION) {
    throw indexerError(
      version < PROJECTION_VERSION ? 'INDEXER_VIEWS_OUTDATED' : 'INDEXER_VIEWS_NEWER',
      `the views are of projection version ${version}, this software makes ${PROJECTION_VERSION}`,
      { version },
    );
  }
  return toCheckpoint(row);
};

/**
 * So that readers in other processes find a row from the start, and writers one to lock. Never overwrites: another indexer of
 * the same views may have gone ahead between any look at the table and this.
 */
export const ensureCheckpoint = async (database: Queryable): Promise<void> => {
  await database.query('INSERT INTO checkpoint (projection_version, seq) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING', [
    PROJECTION_VERSION,
    START.seq,
  ]);
};

export const saveCheckpoint = async (tx: Queryable, { seq, block }: Checkpoint): Promise<void> => {
  await tx.query(
    `INSERT INTO checkpoint (projection_version, seq, block_number, block_hash, log_hash) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (id) DO UPDATE SET projection_version = excluded.projection_version, seq = excluded.seq,
       block_number = excluded.block_number, block_hash = excluded.block_hash, log_hash = excluded.log_hash,
       indexed_at = now()`,
    [PROJECTION_VERSION, seq, block?.number ?? null, block?.hash ?? null, block?.logHash ?? null],
  );
};

/** The checkpoint that a log has right after `entry`. */
export const checkpointAfter = (entry: LogEntry): Checkpoint => {
  const { number, hash, logHash } = entry.kind === 'block' ? entry : entry.to;
  return { seq: entry.seq + 1, block: { number, hash, logHash } };
};

export const sameBlock = (a: CheckpointBlock | null, b: CheckpointBlock | null): boolean =>
  a?.hash === b?.hash && a?.logHash === b?.logHash;
