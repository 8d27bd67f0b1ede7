import type { AddressInfo } from 'node:net';
import type { Database } from '@openledger/indexer/views';
import type { Logger, Metrics } from '@openledger/kit';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { defaultLimits, type GraphqlLimits } from './config.ts';
import { LiveProvisional, type ProvisionalFeed } from './liveProvisional.ts';
import { createLiveViews } from './liveViews.ts';
import { createGraphqlMetrics } from './metrics.ts';
import { readinessReasons } from './readiness.ts';
import { serveWebsocket } from './websocket.ts';
import { createGraphqlYoga } from './yoga.ts';

export type GraphqlServerOptions = {
  /** Its schema is the chain's; a read-only scope of it is used. */
  database: Database;
  chainName: string;
  /** Where provisional events come from; without it the subscription to them is refused. */
  provisional?: ProvisionalFeed;
  /** Loopback unless told otherwise. */
  host?: string;
  /** 0: any free port. */
  port?: number;
  limits?: Partial<GraphqlLimits>;
  /** Origins whose pages may read the answers; none by default, `*` for all. */
  corsOrigins?: readonly string[];
  log: Logger;
  metrics?: Metrics;
  /** Aborting closes the server. */
  signal?: AbortSignal;
};

export type GraphqlServer = {
  /** Of the endpoint, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
};

/** `/graphql` over HTTP, server-sent events and WebSocket; `/healthz`, `/readyz`, `/metrics`. */
export const createGraphqlServer = async (options: GraphqlServerOptions): Promise<GraphqlServer> => {
  const { log, metrics, chainName } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const corsOrigins = options.corsOrigins ?? [];
  const database = options.database.scoped({ readOnly: true, statementTimeoutMs: limits.statementTimeoutMs });
  const live = await createLiveViews(database, log);
  const provisional = options.provisional && new LiveProvisional(options.provisional, log);
  const graphqlMetrics = createGraphqlMetrics(metrics);
  const yoga = createGraphqlYoga({
    database,
    live,
    provisional,
    limits,
    corsOrigins,
    chainName,
    log,
    metrics: graphqlMetrics,
  });

  const app = Fastify({ bodyLimit: limits.bodyBytes, logger: false, forceCloseConnections: true });
  serveErrors(app, log);
  // A form or plain text could be sent by any page without asking; JSON can't.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  app.route({
    url: '/graphql',
    method: ['GET', 'POST', 'OPTIONS'],
    handler: (request: FastifyRequest, reply: FastifyReply) => yoga.handleNodeRequestAndResponse(request, reply, {}),
  });
  serveOperations(app, database, limits, metrics);
  const websocket = serveWebsocket({ server: app.server, yoga, limits, corsOrigins, metrics: graphqlMetrics });

  const host = options.host ?? '127.0.0.1';
  await app.listen({ host, port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;

  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    await live.close();
    provisional?.close();
    await websocket.close();
    await app.close();
    await yoga.dispose();
  };
  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/graphql`;
  log.info({ url }, 'GraphQL is served');
  return { url, close };
};

const serveOperations = (
  app: FastifyInstance,
  database: Database,
  limits: GraphqlLimits,
  metrics: Metrics | undefined,
): void => {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = await readinessReasons(database, limits);
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  if (!metrics) return;
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
};

/** Fastify's own codes where it has one; the inside of anything else stays here. */
const serveErrors = (app: FastifyInstance, log: Logger): void => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error, path: request.url }, 'request failed');
    const code = status >= 500 ? 'INTERNAL_SERVER_ERROR' : (error.code ?? 'BAD_REQUEST');
    const message = status >= 500 ? 'internal error' : error.message;
    return reply.code(status).send({ errors: [{ message, extensions: { code } }] });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ errors: [{ message: 'no such page', extensions: { code: 'NOT_FOUND' } }] }),
  );
};
