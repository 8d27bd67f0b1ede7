import { type Checkpoint, type CheckpointBlock, type CheckpointRow, toCheckpoint } from './checkpoint.ts';
import type { Queryable } from './database/database.ts';
import { indexerError } from './errors.ts';
import { positionOf } from './position.ts';
import { type TableName, tableNames, viewTables } from './views/tables.ts';

/** Makes the changes of this transaction undoable back to `base`. */
export const keepSavepoint = async (tx: Queryable, { seq, block }: Checkpoint): Promise<void> => {
  await tx.query(
    `INSERT INTO savepoints (seq, block_number, block_hash, log_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (seq) DO NOTHING`,
    [seq, block?.number ?? null, block?.hash ?? null, block?.logHash ?? null],
  );
  await tx.query(`SELECT set_config('openledger.savepoint', $1, true)`, [String(seq)]);
};

/** A batch that is not journaled can't be unwound, nor what lies before it. */
export const forgetHistory = async (tx: Queryable): Promise<void> => {
  await tx.query('DELETE FROM journal');
  await tx.query('DELETE FROM savepoints');
};

/**
 * Takes all views back to the newest savepoint at or before `target`, exactly, and returns it. The caller applies the
 * blocks between the two again.
 * @throws INDEXER_REORG_TOO_DEEP when there is no such savepoint any more.
 */
export const unwind = async (tx: Queryable, target: CheckpointBlock, seq: number): Promise<Checkpoint> => {
  const [row] = await tx.query<CheckpointRow>(
    `SELECT seq, block_number, block_hash, log_hash FROM savepoints
     WHERE coalesce(block_number, -1) <= $1 ORDER BY seq DESC LIMIT 1`,
    [target.number],
  );
  if (!row) {
    throw indexerError('INDEXER_REORG_TOO_DEEP', `block ${target.number} can no longer be unwound to`, {
      block: target.number,
    });
  }
  const savepoint = toCheckpoint(row);
  const changed = await tx.query<{ relation: TableName }>(
    'SELECT DISTINCT relation FROM journal WHERE savepoint >= $1',
    [savepoint.seq],
  );
  for (const { relation } of changed) await restoreRows(tx, relation, savepoint.seq);
  const firstBlock = savepoint.block === null ? 0n : savepoint.block.number + 1n;
  for (const table of tableNames) {
    const { history, by } = viewTables[table];
    if (history !== 'append') continue;
    const [column, limit] = by === 'number' ? ['number', firstBlock] : ['position', positionOf(firstBlock, 0)];
    await tx.query(`DELETE FROM ${table} WHERE ${column} >= $1`, [limit]);
  }
  await tx.query('DELETE FROM journal WHERE savepoint >= $1', [savepoint.seq]);
  await tx.query('DELETE FROM savepoints WHERE seq > $1', [savepoint.seq]);
  await tx.query('INSERT INTO reverts (seq, to_block) VALUES ($1, $2)', [seq, target.number]);
  return savepoint;
};

/** A row's first entry since the savepoint tells how the row was then. */
const restoreRows = async (tx: Queryable, table: TableName, savepoint: number): Promise<void> => {
  const key: readonly string[] = viewTables[table].key;
  const oldest = `(SELECT DISTINCT ON (key) key, old FROM journal
    WHERE relation = '${table}' AND savepoint >= $1 ORDER BY key, id) o`;
  await tx.query(
    `DELETE FROM ${table} t USING ${oldest}, jsonb_populate_record(null::${table}, o.key) k
     WHERE ${key.map((column) => `t.${column} = k.${column}`).join(' AND ')}`,
    [savepoint],
  );
  await tx.query(
    `INSERT INTO ${table} SELECT r.* FROM ${oldest}, jsonb_populate_record(null::${table}, o.old) r
     WHERE o.old IS NOT NULL`,
    [savepoint],
  );
};

/** Keeps what is needed to unwind to any block from `oldestBlock` on. */
export const pruneHistory = async (tx: Queryable, oldestBlock: bigint): Promise<void> => {
  const newestOld = '(SELECT max(seq) FROM savepoints WHERE coalesce(block_number, -1) <= $1)';
  await tx.query(`DELETE FROM journal WHERE savepoint < ${newestOld}`, [oldestBlock]);
  await tx.query(`DELETE FROM reverts WHERE seq < ${newestOld}`, [oldestBlock]);
  await tx.query(`DELETE FROM savepoints WHERE seq < ${newestOld}`, [oldestBlock]);
};
