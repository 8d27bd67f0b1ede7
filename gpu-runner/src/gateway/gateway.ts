import { describeError, isOpenLedgerError, type Logger, type Metrics } from '@openledger/kit';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Hex } from 'viem';
import { MAX_FILE_BYTES } from '../jobs/formats.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import { type ContentStore, sha256Of } from '../store/contentStore.ts';
import { answerInference } from './answerInference.ts';
import { errorTypes, toErrorAnswer } from './errorAnswers.ts';
import { acceptUpload } from './files.ts';
import type { Inference } from './inference.ts';
import { formatLocal, formatModel } from './models.ts';
import { localAdapters, operatorRoutes } from './operatorRoutes.ts';
import { findOutput } from './outputs.ts';
import { parseChatCompletion, parseCompletion } from './requests.ts';
import { createServingMetrics } from './servingMetrics.ts';
import { SignedOnce } from './signedOnce.ts';
import type { Payee } from './x402.ts';

export type GatewayOptions = {
  inference: Inference;
  store: ContentStore;
  database: RunnerDatabase;
  payee: Payee;
  host: string;
  port: number;
  now(): number;
  readiness(): readonly string[];
  log: Logger;
  metrics: Metrics;
  /** More routes, with the same error answers. */
  routes?: (app: FastifyInstance) => void;
};

/** The runner's HTTP side: OpenAI-compatible inference, uploads, receipts of outputs. Listens until closed. */
export const startGateway = async (options: GatewayOptions): Promise<{ url: string; close(): Promise<void> }> => {
  const { inference, store, database, log, metrics } = options;
  const usedNonces = new SignedOnce();
  const bodyHashes = new WeakMap<FastifyRequest, Hex>();
  const serving = createServingMetrics(metrics);
  const app = Fastify({ bodyLimit: MAX_FILE_BYTES + 1, forceCloseConnections: true });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    bodyHashes.set(request, `0x${sha256Of(body)}`);
    // Fastify's types want a promise here that its own parser doesn't return.
    void parseJson(request, body.toString('utf8'), done);
  });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.setErrorHandler((error, request, reply) => {
    const fastifyCode = (error as { statusCode?: number }).statusCode;
    if (!isOpenLedgerError(error) && fastifyCode !== undefined && fastifyCode < 500) {
      const message = describeError(error);
      return reply.code(fastifyCode).send({ error: { message, type: 'invalid_request_error', code: 'bad_request' } });
    }
    const { status, body, retryAfter } = toErrorAnswer(error);
    if (status === 500) log.error({ err: error, url: request.url }, 'request failed');
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).send(body);
  });

  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url}`;
    return reply.code(404).send({ error: { message, type: errorTypes[404], code: 'route_unknown' } });
  });

  app.get('/v1/models', async (request) => ({
    object: 'list',
    data: [...inference.served().map(formatModel), ...(await localAdapters(request, inference)).map(formatLocal)],
  }));
  const answer = answerInference({
    inference,
    payee: options.payee,
    now: options.now,
    metrics: serving,
    bodyHash: (request) => bodyHashes.get(request) ?? '0x',
  });
  app.post('/v1/completions', (request, reply) => answer(request, reply, parseCompletion(request.body), 'completions'));
  app.post('/v1/chat/completions', (request, reply) =>
    answer(request, reply, parseChatCompletion(request.body), 'chat'),
  );
  operatorRoutes(app, inference);
  app.get<{ Params: { id: string } }>('/v1/outputs/:id', async (request, reply) => {
    const found = await findOutput(database, request.params.id);
    return found
      ? { ...found.record, settlement: found.settlement }
      : reply.code(404).send({ error: { message: 'no such output', type: errorTypes[404], code: 'output_unknown' } });
  });
  app.put<{ Params: { sha256: string } }>('/v1/files/:sha256', async (request) => {
    const bytes = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    const context = { store, chainId: options.payee.chainId, now: options.now, usedNonces };
    return acceptUpload(context, request.params.sha256, bytes, request.headers);
  });
  options.routes?.(app);
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = options.readiness();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  app.get('/metrics', async (_request, reply) => {
    await serving.refresh(inference.engine);
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });

  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  return { url: `http://${options.host}:${port}`, close: () => app.close() };
};
