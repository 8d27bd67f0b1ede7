import type { Logger } from '@openledger/kit';
import Fastify from 'fastify';
import type { ChainReader } from '../rpc/chainReader.ts';
import { createDispatcher } from '../rpc/dispatch.ts';
import type { RollupStatus } from '../rpc/methods/nodeInfo.ts';
import { nodeMethods } from '../rpc/nodeMethods.ts';
import { engineMethods } from './engineMethods.ts';
import { refusalOf } from './jwt.ts';

export type EngineServerOptions = {
  readonly chain: ChainReader;
  readonly status: RollupStatus;
  readonly host: string;
  readonly port: number;
  readonly jwtSecret: Uint8Array;
  readonly now: () => number;
  readonly log: Logger;
};

/** Bytes: a payload of a full block fits. */
const MAX_BODY = 64 * 1024 * 1024;

/**
 * The authenticated port that only a consensus client may use: the Engine API and the public methods that it needs beside it.
 * Effects: listens until closed.
 */
export const startEngineServer = async (
  options: EngineServerOptions,
): Promise<{ url: string; close(): Promise<void> }> => {
  const { chain, log, jwtSecret, now } = options;
  const dispatch = createDispatcher({ ...nodeMethods(chain, options.status), ...engineMethods(chain) }, log);
  const app = Fastify({ bodyLimit: MAX_BODY, forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => {
    const refusal = await refusalOf(request.headers.authorization, jwtSecret, now());
    if (refusal) return reply.code(401).send(refusal);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/', async (request, reply) => {
    let body: unknown;
    try {
      body = JSON.parse(String(request.body));
    } catch {
      return reply.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'parse error' } });
    }
    return reply.send(await dispatch(body));
  });
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => app.close() };
};
