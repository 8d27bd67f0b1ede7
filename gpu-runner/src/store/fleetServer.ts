import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { isOpenLedgerError, type Logger } from '@openledger/kit';
import Fastify from 'fastify';
import { runnerError } from '../errors.ts';
import type { ContentStore } from './contentStore.ts';

/** An adapter of a large model at a high rank has some gigabytes. */
const MAX_BYTES = 16 * 2 ** 30;
const MIN_TOKEN_LENGTH = 32;

const statusOf = (error: unknown): number => {
  if (!isOpenLedgerError(error)) return 500;
  return (
    ({ FILE_UNKNOWN: 404, FILE_TOO_LARGE: 413, FILE_HASH_MISMATCH: 422 } as Record<string, number>)[error.code] ?? 500
  );
};

/**
 * The runner's files for its own workers, on a listener of its own: everything by content hash, and nothing without the fleet's
 * token. @throws CONFIG_INVALID
 */
export const startFleetServer = async (options: {
  store: ContentStore;
  token: string;
  host: string;
  port: number;
  log: Logger;
}): Promise<{ url: string; close(): Promise<void> }> => {
  const { store, token, log } = options;
  if (token.length < MIN_TOKEN_LENGTH) {
    throw runnerError('CONFIG_INVALID', `the fleet's token has fewer than ${MIN_TOKEN_LENGTH} characters`);
  }
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  const app = Fastify({ bodyLimit: MAX_BYTES, forceCloseConnections: true });
  // Streams reach the store as they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  app.addHook('onRequest', async (request, reply) => {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) {
      await reply.code(401).send({ error: 'the token of this fleet is needed' });
    }
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status === 500) log.error({ err: error }, 'fleet file request failed');
    return reply.code(status).send({ error: status === 500 ? 'internal' : (error as Error).message });
  });
  app.get<{ Params: { hash: string } }>('/files/:hash', async ({ params }, reply) => {
    await store.ensure(params.hash);
    return reply.type('application/octet-stream').send(createReadStream(store.path(params.hash)));
  });
  app.put<{ Params: { hash: string } }>('/files/:hash', async ({ params, body }) => {
    store.path(params.hash);
    await store.putStream(body as Readable, { expected: params.hash, maxBytes: MAX_BYTES });
    return { sha256: params.hash };
  });
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  return { url: `http://${options.host}:${port}`, close: () => app.close() };
};
