import { serveEvents } from '@openledger/event-log';
import { describeError, type Logger, type Metrics } from '@openledger/kit';
import Fastify from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ChainReader } from './chainReader.ts';
import { createDispatcher, type Methods } from './dispatch.ts';
import { FlashblockStream } from './flashblockStream.ts';
import type { RollupStatus } from './methods/nodeInfo.ts';
import { nodeMethods } from './nodeMethods.ts';
import { createSubscriptions } from './subscriptions.ts';

export type RpcServerOptions = {
  chain: ChainReader;
  status: RollupStatus;
  /** Takes the place of our own methods of these names: how a follower hands transactions on. */
  overrides?: Methods;
  host: string;
  port: number;
  /** Browser origins that may call; empty means none, `*` any. */
  corsOrigins: readonly string[];
  /** Reasons why the node isn't ready; empty when it is. */
  readiness(): Promise<readonly string[]>;
  log: Logger;
  metrics: Metrics;
  signal: AbortSignal;
};

/** Bytes. */
const MAX_BODY = 5 * 1024 * 1024;
const MAX_BACKLOG = 1024 * 1024;

/**
 * One port for everything a node serves: JSON-RPC over POST and WebSocket, the event feed, flashblocks (WebSocket on
 * /flashblocks), health and metrics.
 * Effects: listens until closed.
 */
export const startRpcServer = async (options: RpcServerOptions): Promise<{ url: string; close(): Promise<void> }> => {
  const { chain, log, metrics, signal } = options;
  const methods = { ...nodeMethods(chain, options.status), ...options.overrides };
  const dispatch = createDispatcher(methods, log);
  const requests = metrics.counter('rpc_requests_total', 'JSON-RPC bodies answered', ['transport']);
  const app = Fastify({ bodyLimit: MAX_BODY, requestTimeout: 30_000, forceCloseConnections: true });

  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (!origin) return;
    const allowed = options.corsOrigins.includes('*') ? '*' : options.corsOrigins.includes(origin) ? origin : undefined;
    if (!allowed) return;
    reply.header('access-control-allow-origin', allowed);
    reply.header('access-control-allow-headers', 'content-type');
    if (request.method === 'OPTIONS') return reply.code(204).send();
  });
  app.options('/', async (_request, reply) => reply.code(204).send());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  app.post('/', async (request, reply) => {
    requests.inc({ transport: 'http' });
    reply.header('content-type', 'application/json');
    return reply.send((await answer(String(request.body), dispatch)) ?? '');
  });
  app.get('/events', (request, reply) => {
    reply.hijack();
    serveEvents(chain.engine.eventLog, request.raw, reply.raw, signal).catch((error) =>
      log.warn({ err: error }, 'event stream ended with an error'),
    );
  });
  app.get('/events/head', async () => {
    const head = await chain.engine.eventLog.head();
    return head ? { ...head, number: head.number.toString() } : null;
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = await options.readiness();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });

  const flashblocks = new FlashblockStream(chain.pending);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY });
  app.server.on('upgrade', (request, socket, head) => {
    const { origin } = request.headers;
    if (origin && !options.corsOrigins.includes('*') && !options.corsOrigins.includes(origin)) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const isStream = request.url?.split('?')[0] === '/flashblocks';
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      isStream ? flashblocks.add(webSocket) : serveSocket(webSocket),
    );
  });
  const serveSocket = (socket: WebSocket) => {
    const send = (text: string) => {
      // A reader that doesn't read must not fill our memory.
      if (socket.bufferedAmount > MAX_BACKLOG) socket.terminate();
      else socket.send(text);
    };
    const subscriptions = createSubscriptions(chain, (message) => send(JSON.stringify(message)));
    const dispatchSocket = createDispatcher({ ...methods, ...subscriptions.methods }, log);
    socket.on('message', async (data) => {
      requests.inc({ transport: 'ws' });
      const text = await answer(data.toString(), dispatchSocket);
      if (text !== undefined) send(text);
    });
    socket.on('close', subscriptions.close);
    socket.on('error', (error) => log.debug({ reason: describeError(error) }, 'WebSocket error'));
  };

  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  return {
    url: `http://${options.host}:${port}`,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await app.close();
    },
  };
};

const answer = async (body: string, dispatch: ReturnType<typeof createDispatcher>): Promise<string | undefined> => {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'parse error' } });
  }
  const result = await dispatch(request);
  return result === undefined ? undefined : JSON.stringify(result);
};
