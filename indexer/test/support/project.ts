import type { EventReader, LogEntry } from '@openledger/event-log';
import { applyEntries } from '../../src/applyEntries.ts';
import { type Checkpoint, loadCheckpoint, START, saveCheckpoint } from '../../src/checkpoint.ts';
import type { Database } from '../../src/database/database.ts';
import { tableNames } from '../../src/views/tables.ts';

export type ProjectOptions = { batch?: () => number; reorgDepth?: number };

/** Takes the views to the log's end by hand, in batches of the given sizes: what the indexer does, without its clock. */
export const project = async (
  reader: EventReader,
  database: Database,
  options: ProjectOptions = {},
): Promise<Checkpoint> => {
  let checkpoint = await loadCheckpoint(database);
  const context = { database, reader, reorgDepth: options.reorgDepth ?? 1_000 };
  for (;;) {
    const entries: LogEntry[] = [];
    for await (const entry of reader.read(checkpoint.seq, { limit: options.batch?.() ?? 500 })) entries.push(entry);
    if (entries.length === 0) return checkpoint;
    const head = (await reader.head())?.number ?? 0n;
    ({ checkpoint } = await applyEntries(context, checkpoint, entries, head));
  }
};

export const emptyViews = async (database: Database): Promise<void> => {
  await database.execute(`TRUNCATE ${[...tableNames, 'journal', 'savepoints', 'reverts', 'checkpoint'].join(', ')}`);
  await saveCheckpoint(database, START);
};
