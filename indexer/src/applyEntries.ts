import type { BlockEntry, EventReader, LogEntry } from '@openledger/event-log';
import { type Checkpoint, checkpointAfter, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import type { Database, Queryable } from './database/database.ts';
import { indexerError } from './errors.ts';
import { foldEntries } from './foldEntries.ts';
import { forgetHistory, keepSavepoint, pruneHistory, unwind } from './history.ts';
import { notifyViews } from './notices.ts';
import { projectBlocks } from './projections/project.ts';

export type ApplyContext = {
  readonly database: Database;
  readonly reader: EventReader;
  /** How many blocks below the head can be unwound. */
  readonly reorgDepth: number;
};

export type Applied = { readonly checkpoint: Checkpoint; readonly events: number; readonly unwound: boolean };

/** History is pruned when the head crosses a multiple of this, not with every block. */
const PRUNE_BLOCKS = 128n;

/**
 * Takes the views from `base` over some consecutive entries, in one transaction with the checkpoint: all of it is seen, or
 * none. Entries far below `feedHead` are written without history, because no reorg reaches them.
 * @throws INDEXER_CHECKPOINT_MOVED when somebody else wrote meanwhile; nothing was changed then.
 */
export const applyEntries = (
  { database, reader, reorgDepth }: ApplyContext,
  base: Checkpoint,
  entries: readonly LogEntry[],
  feedHead: bigint,
): Promise<Applied> =>
  database.transaction(async (tx) => {
    const last = entries.at(-1);
    if (!last) return { checkpoint: base, events: 0, unwound: false };
    await checkUnmoved(tx, base);
    const { from, blocks } = await resolveReverts({ tx, reader }, base, entries, last.seq);
    const next = checkpointAfter(last);
    if (reachable(blocks, feedHead - BigInt(reorgDepth))) await keepSavepoint(tx, from);
    else await forgetHistory(tx);
    await projectBlocks(tx, blocks);
    await saveCheckpoint(tx, next);
    await prune(tx, base, next, BigInt(reorgDepth));
    await notifyViews(tx, database.schema, { seq: next.seq });
    return {
      checkpoint: next,
      events: blocks.reduce((sum, block) => sum + block.events.length, 0),
      unwound: from !== base,
    };
  });

const checkUnmoved = async (tx: Queryable, base: Checkpoint): Promise<void> => {
  const present = await loadCheckpoint(tx, { lock: true });
  if (present.seq !== base.seq || present.block?.hash !== base.block?.hash) {
    throw indexerError('INDEXER_CHECKPOINT_MOVED', `the checkpoint is at ${present.seq}, not at ${base.seq}`, {
      seq: present.seq,
    });
  }
};

/**
 * A revert below the base unwinds to a savepoint, which may lie a batch further down; the canonical blocks in between are
 * read from the log again.
 */
const resolveReverts = async (
  { tx, reader }: { tx: Queryable; reader: EventReader },
  base: Checkpoint,
  entries: readonly LogEntry[],
  lastSeq: number,
): Promise<{ from: Checkpoint; blocks: readonly BlockEntry[] }> => {
  const { unwindTo, blocks } = foldEntries(base, entries);
  if (!unwindTo) return { from: base, blocks };
  const from = await unwind(tx, unwindTo, lastSeq);
  const again: LogEntry[] = [];
  for await (const entry of reader.read(from.seq, { limit: lastSeq + 1 - from.seq })) again.push(entry);
  const folded = foldEntries(from, again);
  if (folded.unwindTo || again.at(-1)?.seq !== lastSeq) {
    throw indexerError('INDEXER_FEED_DIVERGED', `the feed does not lead from position ${from.seq} to ${lastSeq}`);
  }
  return { from, blocks: folded.blocks };
};

const reachable = (blocks: readonly BlockEntry[], deepest: bigint): boolean =>
  blocks.length === 0 || blocks.some((block) => block.number > deepest);

const prune = async (tx: Queryable, base: Checkpoint, next: Checkpoint, depth: bigint): Promise<void> => {
  const period = (checkpoint: Checkpoint) => (checkpoint.block?.number ?? 0n) / PRUNE_BLOCKS;
  if (next.block && period(next) !== period(base)) await pruneHistory(tx, next.block.number - depth);
};
