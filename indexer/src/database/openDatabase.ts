import type { Logger } from '@openledger/kit';
import type { Database } from './database.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';

export type DatabaseOptions = {
  /** PostgreSQL URL. Absent: PGlite, embedded in this process. */
  url?: string | undefined;
  /** PGlite's data directory; absent: in memory. One process at a time may have it open. */
  dataDir?: string | undefined;
  /** The chain's schema, such as `chain_901`. */
  schema: string;
  poolSize?: number;
  log?: Logger;
};

export const openDatabase = async (options: DatabaseOptions): Promise<Database> => {
  const { url, dataDir, schema, poolSize, log } = options;
  if (url === undefined) return openPglite({ schema, ...(dataDir === undefined ? {} : { dataDir }) });
  return openPostgres({
    url,
    schema,
    ...(poolSize === undefined ? {} : { poolSize }),
    onError: (error) => log?.warn({ err: error }, 'database connection lost'),
  });
};

/** Each chain has a schema of its own. */
export const chainSchema = (chainId: number | bigint): string => `chain_${chainId}`;
