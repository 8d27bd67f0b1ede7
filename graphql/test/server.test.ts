import { readFile } from 'node:fs/promises';
import { freshSchema, openTestDatabase } from '@openledger/indexer/testing';
import { createMetrics, silentLogger } from '@openledger/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { buildSchema, printSchema } from '../src/graphqlJs.ts';
import { createGraphqlServer, printedSchema } from '../src/index.ts';
import { startStack } from './support.ts';

describe('server', () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const get = async (url: string, path: string) => {
    const response = await fetch(new URL(path, url));
    return { status: response.status, text: await response.text() };
  };

  it('prints the schema that is checked in', async () => {
    const checkedIn = await readFile(new URL('../schema.graphql', import.meta.url), 'utf8');
    expect(printSchema(buildSchema(checkedIn)).trim()).toBe(printSchema(buildSchema(printedSchema())).trim());
  });

  it('is healthy, ready and measured while the indexer follows', async () => {
    const stack = await startStack(openTestDatabase, { blocks: 5 });
    closers.push(stack.close);
    await stack.ask('{ meta { headSeq } nonsense }');
    await stack.ask('{ meta { headSeq } }');
    const { url } = stack.server;
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(await get(url, '/healthz')).toEqual({ status: 200, text: '{"status":"ok"}' });
    expect(await get(url, '/readyz')).toEqual({ status: 200, text: '{"ready":true,"reasons":[]}' });
    expect((await get(url, '/metrics')).text).toContain('openledger_graphql_operations_total{kind="query"}');
    expect((await get(url, '/nowhere')).status).toBe(404);
  });

  it('says why it is not ready', async () => {
    const stack = await startStack(openTestDatabase, {
      blocks: 5,
      limits: { indexerSilenceMs: 300, lagEntries: 2 },
    });
    closers.push(stack.close);
    const reasons = async () => {
      const { status, text } = await get(stack.server.url, '/readyz');
      return { status, codes: JSON.parse(text).reasons.map(({ code }: { code: string }) => code) };
    };
    await stack.indexer.close();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await reasons()).toEqual({ status: 503, codes: ['INDEXER_SILENT'] });
    await stack.database.query('UPDATE indexer_status SET observed_at = now(), feed_seq = 99, last_error = $1', [
      'broken',
    ]);
    expect(await reasons()).toEqual({ status: 503, codes: ['INDEXER_FAILING', 'INDEXER_LAGS'] });
    // Answers are still given: old views are better than none, and meta tells how old.
    expect((await stack.ask('{ meta { headBlock lag } }')).data.meta).toEqual({ headBlock: 4, lag: 94 });
  });

  it('is not ready without views, and closes with its signal', async () => {
    const shared = await openTestDatabase();
    const database = shared.scoped({ schema: freshSchema() });
    const abort = new AbortController();
    const server = await createGraphqlServer({
      database,
      chainName: 'nothing yet',
      log: silentLogger,
      metrics: createMetrics('openledger'),
      signal: abort.signal,
    });
    const { status, text } = await get(server.url, '/readyz');
    expect([status, JSON.parse(text).reasons[0].code]).toEqual([503, 'INDEXER_ABSENT']);
    abort.abort();
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('lets a page of a configured origin read, and nobody else', async () => {
    const origin = 'https://explorer.example';
    const stack = await startStack(openTestDatabase, { blocks: 2, corsOrigins: [origin] });
    closers.push(stack.close);
    const allowed = async (from: string) => {
      const response = await fetch(stack.server.url, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST' },
      });
      await response.text();
      return response.headers.get('access-control-allow-origin');
    };
    expect(await allowed(origin)).toBe(origin);
    expect(await allowed('https://evil.example')).not.toBe('https://evil.example');
  });
});
