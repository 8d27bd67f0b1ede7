import { describeError, isOpenLedgerError, type Logger, type Metrics } from '@openledger/kit';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { RunnerErrorCode } from '../errors.ts';
import { MAX_FILE_BYTES } from '../jobs/formats.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import type { ContentStore } from '../store/contentStore.ts';
import { acceptUpload } from './files.ts';
import type { Completion, GenerateRequest, Inference } from './inference.ts';
import { findOutput } from './outputs.ts';
import { parseChatCompletion, parseCompletion } from './requests.ts';

export type GatewayOptions = {
  inference: Inference;
  store: ContentStore;
  database: RunnerDatabase;
  chainId: number;
  host: string;
  port: number;
  now(): number;
  readiness(): readonly string[];
  log: Logger;
  metrics: Metrics;
};

const statuses: Readonly<Partial<Record<RunnerErrorCode, number>>> = {
  MODEL_UNKNOWN: 404,
  FILE_UNKNOWN: 404,
  REQUEST_INVALID: 400,
  ENGINE_REFUSED: 400,
  FILE_EMPTY: 400,
  FILE_HASH_MISMATCH: 400,
  FILE_TOO_LARGE: 413,
  UPLOAD_UNAUTHORIZED: 401,
  PAYMENT_REQUIRED: 402,
  PAYMENT_INVALID: 402,
  TOO_MANY_REQUESTS: 429,
  ENGINE_CANCELLED: 503,
};

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'payment_required',
  404: 'not_found_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'server_error',
};

/** OpenAI's error shape; internals stay inside. */
const toErrorBody = (error: unknown): { status: number; body: unknown } => {
  const status = isOpenLedgerError(error) ? (statuses[error.code as RunnerErrorCode] ?? 500) : 500;
  if (status === 500)
    return { status, body: { error: { message: 'internal error', type: 'server_error', code: null } } };
  const { code, message, meta } = error as { code: string; message: string; meta: Record<string, unknown> };
  const details = Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, String(value)]));
  return { status, body: { error: { message, type: errorTypes[status], code: code.toLowerCase(), details } } };
};

/** The runner's HTTP side: OpenAI-compatible inference, uploads, receipts of outputs. Listens until closed. */
export const startGateway = async (options: GatewayOptions): Promise<{ url: string; close(): Promise<void> }> => {
  const { inference, store, database, log, metrics } = options;
  const usedNonces = new Map<string, bigint>();
  const served = metrics.counter('completions_total', 'Completions served', ['endpoint']);
  const tokens = metrics.counter('tokens_total', 'Tokens', ['kind']);
  const app = Fastify({ bodyLimit: MAX_FILE_BYTES + 1, forceCloseConnections: true });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.setErrorHandler((error, request, reply) => {
    const fastifyCode = (error as { statusCode?: number }).statusCode;
    if (!isOpenLedgerError(error) && fastifyCode !== undefined && fastifyCode < 500) {
      const message = describeError(error);
      return reply.code(fastifyCode).send({ error: { message, type: 'invalid_request_error', code: 'bad_request' } });
    }
    const { status, body } = toErrorBody(error);
    if (status === 500) log.error({ err: error, url: request.url }, 'request failed');
    return reply.code(status).send(body);
  });

  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url}`;
    return reply.code(404).send({ error: { message, type: errorTypes[404], code: 'route_unknown' } });
  });

  app.get('/v1/models', async () => ({
    object: 'list',
    data: inference.served().map((model) => ({
      id: model.name,
      object: 'model',
      created: 0,
      owned_by: model.owner,
      root: model.weightsHash,
      parent: model.parentId === 0n ? null : `model-${model.parentId}`,
      openledger: {
        model_id: model.id.toString(),
        input_price: model.inputPrice.toString(),
        output_price: model.outputPrice.toString(),
        datanet_id: model.datanetId.toString(),
        datanet_version: model.datanetVersion,
      },
    })),
  }));
  app.post('/v1/completions', (request, reply) => answer(request, reply, parseCompletion(request.body), 'completions'));
  app.post('/v1/chat/completions', (request, reply) =>
    answer(request, reply, parseChatCompletion(request.body), 'chat'),
  );
  app.get<{ Params: { id: string } }>('/v1/outputs/:id', async (request, reply) => {
    const found = await findOutput(database, request.params.id);
    return found
      ? { ...found.record, settled_in: found.settledIn }
      : reply.code(404).send({ error: { message: 'no such output', type: errorTypes[404], code: 'output_unknown' } });
  });
  app.put<{ Params: { sha256: string } }>('/v1/files/:sha256', async (request) => {
    const bytes = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    const context = { store, chainId: options.chainId, now: options.now, usedNonces };
    return acceptUpload(context, request.params.sha256, bytes, request.headers);
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = options.readiness();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });

  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    body: GenerateRequest & { stream: boolean },
    endpoint: 'completions' | 'chat',
  ) => {
    const header = request.headers['x-payment'];
    const payment = typeof header === 'string' ? header : undefined;
    const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${crypto.randomUUID()}`;
    const created = Math.floor(options.now() / 1000);
    const count = ({ generated }: Completion) => {
      served.inc({ endpoint });
      tokens.inc({ kind: 'prompt' }, generated.prompt_tokens);
      tokens.inc({ kind: 'output' }, generated.completion_tokens);
    };
    // Nobody pays for an answer that nobody waits for any more.
    const abort = new AbortController();
    reply.raw.on('close', () => abort.abort());
    const { signal } = abort;
    if (!body.stream) {
      const completion = await inference.complete(body, { payment, signal });
      count(completion);
      reply.header('x-receipt', completion.record.outputId);
      return formatCompletion(id, created, completion, endpoint);
    }
    let started = false;
    const write = (data: unknown) => {
      if (!started) {
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        started = true;
      }
      reply.raw.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    };
    try {
      const completion = await inference.complete(body, {
        payment,
        signal,
        onToken: (text) => write(formatChunk(id, created, body.model, endpoint, text, null)),
      });
      count(completion);
      write({
        ...formatChunk(id, created, body.model, endpoint, '', completion.generated.finish_reason),
        usage: usageOf(completion),
        openledger: receiptOf(completion),
      });
      write('[DONE]');
      reply.raw.end();
    } catch (error) {
      if (!started) throw error;
      write(toErrorBody(error).body);
      reply.raw.end();
    }
  };

  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  return { url: `http://${options.host}:${port}`, close: () => app.close() };
};

const usageOf = ({ generated }: Completion) => ({
  prompt_tokens: generated.prompt_tokens,
  completion_tokens: generated.completion_tokens,
  total_tokens: generated.prompt_tokens + generated.completion_tokens,
});

/** What ties the answer to the chain: look the output up there once it is settled. */
const receiptOf = ({ record }: Completion) => ({
  output_id: record.outputId,
  model_id: record.modelId,
  channel_id: record.channelId,
  prompt_sha256: record.promptHash,
  output_sha256: record.outputHash,
  cost_wei: record.cost,
  attribution: record.rows.map(({ contributionId, weight }) => ({ contribution_id: contributionId, weight })),
});

const formatCompletion = (id: string, created: number, completion: Completion, endpoint: 'completions' | 'chat') => {
  const { text, finish_reason } = completion.generated;
  const choice =
    endpoint === 'chat'
      ? { index: 0, message: { role: 'assistant', content: text }, finish_reason, logprobs: null }
      : { index: 0, text, finish_reason, logprobs: null };
  return {
    id,
    object: endpoint === 'chat' ? 'chat.completion' : 'text_completion',
    created,
    model: completion.model.name,
    choices: [choice],
    usage: usageOf(completion),
    openledger: receiptOf(completion),
  };
};

const formatChunk = (
  id: string,
  created: number,
  model: string,
  endpoint: 'completions' | 'chat',
  text: string,
  finishReason: string | null,
) => ({
  id,
  object: endpoint === 'chat' ? 'chat.completion.chunk' : 'text_completion',
  created,
  model,
  choices: [
    endpoint === 'chat'
      ? { index: 0, delta: finishReason === null ? { content: text } : {}, finish_reason: finishReason }
      : { index: 0, text, finish_reason: finishReason },
  ],
});
