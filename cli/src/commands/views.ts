import { createRemoteReader } from '@openledger/event-log';
import { createGraphqlServer } from '@openledger/graphql';
import {
  chainSchema,
  createIndexer,
  databaseConfig,
  type IndexerOptions,
  openDatabase,
  rebuild,
} from '@openledger/indexer';
import {
  type ConfigOf,
  type ConfigTable,
  createLifecycle,
  createLogger,
  createMetrics,
  describeError,
  handlingOf,
  type LogLevel,
  parseText,
} from '@openledger/kit';
import { readChainFile } from '../chainFile.ts';
import { defineCommand, port, shared } from '../options.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const viewsConfig = {
  chain: shared.chain,
  ...databaseConfig,
  node: shared.node,
  host: { flag: 'graphql.addr', description: 'address to listen on', parse: parseText, default: '127.0.0.1' },
  port: port('graphql.port', 'port for GraphQL', 4000),
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** `openledger views`: the indexer and the GraphQL server, in one process because PGlite is embedded in it. */
const run = async (config: ConfigOf<typeof viewsConfig>): Promise<void> => {
  const log = createLogger({ name: 'views', level: config.logLevel as LogLevel });
  const metrics = createMetrics('openledger_views');
  const chain = readChainFile(config.chain);
  const lifecycle = createLifecycle(log);
  const database = await openDatabase({
    url: config.databaseUrl,
    dataDir: config.databaseDir,
    schema: chainSchema(chain.genesis.config.l2ChainId),
    poolSize: config.databasePool,
    log,
  });
  lifecycle.add({ name: 'database', close: () => database.close() });
  const reader = createRemoteReader({
    url: config.node,
    onRetry: (error) => log.warn({ reason: describeError(error) }, 'event feed interrupted'),
  });
  const following = keepIndexing({ reader, database, log, metrics, signal: lifecycle.signal });
  lifecycle.add({ name: 'indexer', close: () => following.catch(() => {}) });
  const server = await createGraphqlServer({
    database,
    host: config.host,
    port: config.port,
    log,
    metrics,
    signal: lifecycle.signal,
    chainName: chain.name,
    provisional: async function* (signal) {
      const head = await reader.head();
      yield* reader.followProvisional(head?.nextSeq ?? 0, { signal });
    },
  });
  lifecycle.add({ name: 'graphql', close: () => server.close() });
  const failed = new Promise<Error>((resolve) => {
    following.catch((error) => resolve(error instanceof Error ? error : new Error(describeError(error))));
  });
  log.info({ url: server.url }, 'views are up');
  await runUntilStopped({ failed, close: lifecycle.close }, log);
};

/**
 * Follows the log until the signal aborts. When the views can't be brought to the feed's chain any more (a deep reorg, another
 * history, a newer projection), they are made anew beside the old ones, which are served meanwhile.
 */
const keepIndexing = async (options: IndexerOptions): Promise<void> => {
  while (!options.signal.aborted) {
    const indexer = createIndexer(options);
    try {
      await indexer.done;
    } catch (error) {
      if (handlingOf(error) !== 'reset') throw error;
      options.log.warn({ reason: describeError(error) }, 'rebuilding the views');
      await rebuild(options);
    } finally {
      await indexer.close();
    }
  }
};

export const command = defineCommand('the indexer and the GraphQL server', viewsConfig, run);
