import pg from 'pg';
import { type Address, hexToBigInt, keccak256, slice } from 'viem';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from './database.ts';

/** The number that stands for a runner among PostgreSQL's advisory locks. */
export const lockKeyOf = (runner: Address): bigint =>
  BigInt.asIntN(64, hexToBigInt(slice(keccak256(runner.toLowerCase() as Address), 0, 8)));

/**
 * One process per runner and database: the accounts of channels are judged in memory, and two processes would spend one credit
 * twice (and send transactions with one nonce). An advisory lock of PostgreSQL, held by a session of its own; when that is
 * lost, `onLost` has to end the process. The embedded database is locked by its directory (admin/adminSocket.ts).
 * @throws ALREADY_RUNNING
 */
export const lockRunner = async (
  { pool }: RunnerDatabase,
  runner: Address,
  onLost: (error: Error) => void,
): Promise<() => Promise<void>> => {
  if (!(pool instanceof pg.Pool)) return async () => {};
  const client = await pool.connect();
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    lockKeyOf(runner).toString(),
  ]);
  if (!rows[0]?.locked) {
    client.release();
    throw runnerError('ALREADY_RUNNING', `another process runs ${runner} on this database`);
  }
  client.on('error', onLost);
  return async () => {
    client.off('error', onLost);
    // Ends the session, and the lock with it.
    client.release(true);
  };
};
