import type { BlockEntry, LogEntry, RevertEntry } from '@openledger/event-log';
import { type Checkpoint, type CheckpointBlock, sameBlock } from './checkpoint.ts';
import { indexerError } from './errors.ts';

/** The net effect of some log entries: first unwind (if at all), then these blocks. */
export type Folded = { readonly unwindTo: CheckpointBlock | undefined; readonly blocks: readonly BlockEntry[] };

const diverged = (message: string, entry: LogEntry) =>
  indexerError('INDEXER_FEED_DIVERGED', message, { seq: entry.seq, kind: entry.kind });

/**
 * Blocks that a revert takes back within the same batch cancel out and never touch the database.
 * @throws INDEXER_FEED_DIVERGED when an entry doesn't continue what came before it.
 */
export const foldEntries = (base: Checkpoint, entries: readonly LogEntry[]): Folded => {
  const blocks: BlockEntry[] = [];
  let unwindTo: CheckpointBlock | undefined;
  let seq = base.seq;

  const head = (): CheckpointBlock | null => blocks.at(-1) ?? unwindTo ?? base.block;
  const append = (entry: BlockEntry): void => {
    const parent = head();
    if (parent && parent.hash !== entry.parentHash) {
      throw diverged(`block ${entry.number} does not follow ${parent.number}`, entry);
    }
    blocks.push(entry);
  };
  const revert = (entry: RevertEntry): void => {
    const { to } = entry;
    while ((blocks.at(-1)?.number ?? to.number) > to.number) blocks.pop();
    const ancestor = head();
    if (!ancestor || ancestor.number < to.number) throw diverged(`revert to unknown block ${to.number}`, entry);
    if (ancestor.number > to.number) unwindTo = to;
    else if (!sameBlock(ancestor, to)) throw diverged(`revert to another block ${to.number}`, entry);
  };

  for (const entry of entries) {
    if (entry.seq !== seq) throw diverged(`the feed jumped from position ${seq} to ${entry.seq}`, entry);
    seq = entry.seq + 1;
    if (entry.kind === 'block') append(entry);
    else revert(entry);
  }
  return { unwindTo, blocks };
};
