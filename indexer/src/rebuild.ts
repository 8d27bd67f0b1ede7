import type { EventReader } from '@openledger/event-log';
import type { Logger } from '@openledger/kit';
import { applyEntries } from './applyEntries.ts';
import { type Checkpoint, loadCheckpoint, START, saveCheckpoint } from './checkpoint.ts';
import type { Database } from './database/database.ts';
import { type BatchLimits, entryBatches } from './entryBatches.ts';
import { DEFAULT_BATCH, DEFAULT_REORG_DEPTH } from './indexer.ts';
import { migrate } from './migrate.ts';
import { notifyViews } from './notices.ts';

export type RebuildOptions = {
  reader: EventReader;
  database: Database;
  log: Logger;
  signal?: AbortSignal;
  reorgDepth?: number;
  batch?: Partial<BatchLimits>;
};

/**
 * Makes the views again from position 0 in a schema beside the present one and puts it in its place in one step; readers
 * see the old views until then. A running indexer notices and goes on from the new checkpoint. Aborted: the old views
 * stay.
 */
export const rebuild = async (options: RebuildOptions): Promise<Checkpoint> => {
  const { reader, database, log } = options;
  const name = database.schema;
  const next = database.scoped({ schema: `${name}_next` });
  await database.execute(`DROP SCHEMA IF EXISTS "${next.schema}" CASCADE`);
  await migrate(next);
  await saveCheckpoint(next, START);
  const context = { database: next, reader, reorgDepth: options.reorgDepth ?? DEFAULT_REORG_DEPTH };
  const limits = { ...DEFAULT_BATCH, ...options.batch };
  const feedHead = (await reader.head())?.number ?? 0n;
  let checkpoint: Checkpoint = START;
  for await (const batch of entryBatches((signal) => reader.read(0, { signal }), limits, options.signal)) {
    ({ checkpoint } = await applyEntries(context, checkpoint, batch, feedHead));
    log.info({ seq: checkpoint.seq, block: checkpoint.block?.number.toString() }, 'rebuilding views');
  }
  options.signal?.throwIfAborted();
  await database.transaction(async (tx) => {
    await tx.execute(`DROP SCHEMA IF EXISTS "${name}_old" CASCADE;
      CREATE SCHEMA IF NOT EXISTS "${name}";
      ALTER SCHEMA "${name}" RENAME TO "${name}_old";
      ALTER SCHEMA "${next.schema}" RENAME TO "${name}";
      DROP SCHEMA "${name}_old" CASCADE`);
    await notifyViews(tx, name, { seq: checkpoint.seq });
  });
  return loadCheckpoint(database);
};
