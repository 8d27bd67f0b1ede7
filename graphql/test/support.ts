import { createIndexer, type Database, type Indexer } from '@openledger/indexer';
import { TestChain, type TestDatabase } from '@openledger/indexer/testing';
import { createLogger, createMetrics, silentLogger } from '@openledger/kit';
import { createGraphqlServer, type GraphqlServer, type GraphqlServerOptions } from '../src/index.ts';

export type Answer = {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of an answer is what each test is about.
  data?: any;
  errors?: { message: string; extensions: { code: string } }[];
};

export type TestStack = {
  chain: TestChain;
  database: Database;
  indexer: Indexer;
  server: GraphqlServer;
  caughtUp(): Promise<void>;
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
};

/** A chain with some history, its indexer and a server. */
export const startStack = async (
  open: TestDatabase['open'],
  options: Partial<GraphqlServerOptions> & { blocks?: number; seed?: number } = {},
): Promise<TestStack> => {
  const chain = await TestChain.open(options.seed ?? 11);
  await chain.mineMany(options.blocks ?? 60, 6);
  const database = await open();
  const abort = new AbortController();
  const indexer = createIndexer({
    reader: chain.log,
    database,
    log: silentLogger,
    signal: abort.signal,
    heartbeatMs: 100,
  });
  const caughtUp = async () => indexer.reached((await chain.log.head())?.nextSeq ?? 0);
  await caughtUp();
  const metrics = createMetrics('openledger');
  const server = await createGraphqlServer({
    database,
    chainName: 'test chain',
    // What is masked for the client should be seen when a test fails.
    log: createLogger({ name: 'test', level: 'error' }),
    metrics,
    ...options,
  });
  return {
    chain,
    database,
    indexer,
    server,
    caughtUp,
    ask: (query, variables) => post(server.url, JSON.stringify({ query, variables })),
    close: async () => {
      await server.close();
      await indexer.close();
      await database.close();
    },
  };
};

export const post = async (url: string, body: string, headers: Record<string, string> = {}): Promise<Answer> => {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, ...((await response.json()) as object) };
};
