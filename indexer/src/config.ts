import { type ConfigField, type ConfigTable, parseInteger, parseText } from '@openledger/kit';
import { DEFAULT_BATCH, DEFAULT_REORG_DEPTH } from './indexer.ts';

const optional = (field: Omit<ConfigField<string | undefined>, 'parse'>): ConfigField<string | undefined> => ({
  ...field,
  parse: parseText,
  default: undefined,
});

/** Where the views live; read by every process that opens them. */
export const databaseConfig = {
  databaseUrl: optional({
    flag: 'database.url',
    description: 'PostgreSQL URL for the views; without it they are embedded (PGlite) in --database.dir',
    secret: true,
  }),
  databaseDir: {
    flag: 'database.dir',
    description: 'data directory of the embedded database; one process at a time',
    parse: parseText,
    default: '.openledger/views',
  },
  databasePool: {
    flag: 'database.pool',
    description: 'connections to PostgreSQL',
    parse: parseInteger(1, 1_000),
    default: 8,
  },
} satisfies ConfigTable;

export const indexerConfig = {
  ...databaseConfig,
  reorgDepth: {
    flag: 'indexer.reorg-depth',
    description: 'blocks below the head that the views can be unwound by; deeper reorgs ask for a rebuild',
    parse: parseInteger(1),
    default: DEFAULT_REORG_DEPTH,
  },
  batchEntries: {
    flag: 'indexer.batch-entries',
    description: 'most log entries in one transaction',
    parse: parseInteger(1),
    default: DEFAULT_BATCH.entries,
  },
  batchEvents: {
    flag: 'indexer.batch-events',
    description: 'most events and transactions in one transaction',
    parse: parseInteger(1),
    default: DEFAULT_BATCH.events,
  },
} satisfies ConfigTable;
