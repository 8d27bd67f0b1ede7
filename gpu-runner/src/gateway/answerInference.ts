import { isOpenLedgerError, type Metrics } from '@openledger/kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Hex } from 'viem';
import { type AnswerHead, type Endpoint, formatChunk, formatCompletion, receiptOf, usageOf } from './answers.ts';
import { type Credential, credentialOf } from './credential.ts';
import { toErrorAnswer } from './errorAnswers.ts';
import type { Completion, GenerateRequest, Inference } from './inference.ts';
import { type Payee, paymentRequired, paymentResponse } from './x402.ts';

export type AnswerOptions = {
  inference: Inference;
  payee: Payee;
  now(): number;
  metrics: Metrics;
  /** sha256 of a request's body as it came. */
  bodyHash(request: FastifyRequest): Hex;
};

type Body = GenerateRequest & { stream: boolean };

/** Answers completions, whole or as a stream; without enough money with x402's 402. */
export const answerInference = (options: AnswerOptions) => {
  const { inference, payee, metrics } = options;
  const served = metrics.counter('completions_total', 'Completions served', ['endpoint']);
  const tokens = metrics.counter('tokens_total', 'Tokens', ['kind']);
  const count = (endpoint: Endpoint, { generated }: Completion) => {
    served.inc({ endpoint });
    tokens.inc({ kind: 'prompt' }, generated.prompt_tokens);
    tokens.inc({ kind: 'output' }, generated.completion_tokens);
  };

  return async (request: FastifyRequest, reply: FastifyReply, body: Body, endpoint: Endpoint): Promise<unknown> => {
    const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${crypto.randomUUID()}`;
    const head: AnswerHead = { id, created: Math.floor(options.now() / 1000), model: body.model, endpoint };
    // Nobody pays for an answer that nobody waits for any more.
    const abort = new AbortController();
    reply.raw.on('close', () => abort.abort());
    try {
      const credential = credentialOf(request.headers);
      const call = { credential, bodyHash: options.bodyHash(request), signal: abort.signal };
      if (body.stream) return await stream(reply, body, head, call);
      const completion = await inference.complete(body, call);
      count(endpoint, completion);
      reply.header('x-receipt', completion.record.outputId);
      const response = paymentResponse(completion, payee);
      // Version 1 reads the X- header, version 2 the other.
      reply.header('payment-response', response).header('x-payment-response', response);
      return formatCompletion(head, completion);
    } catch (error) {
      if (!isOpenLedgerError(error) || toErrorAnswer(error).status !== 402) throw error;
      const url = `${request.protocol}://${request.host}${request.url}`;
      const answer = paymentRequired(error, payee, url);
      return reply.code(402).header('payment-required', answer.header).send(answer.body);
    }
  };

  async function stream(
    reply: FastifyReply,
    body: Body,
    head: AnswerHead,
    call: { credential: Credential; bodyHash: Hex; signal: AbortSignal },
  ): Promise<void> {
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
      const onToken = (text: string) => write(formatChunk(head, text, null));
      const completion = await inference.complete(body, { ...call, onToken });
      count(head.endpoint, completion);
      write({
        ...formatChunk(head, '', completion.generated.finish_reason),
        usage: usageOf(completion),
        openledger: receiptOf(completion),
      });
      write('[DONE]');
      reply.raw.end();
    } catch (error) {
      if (!started) throw error;
      write(toErrorAnswer(error).body);
      reply.raw.end();
    }
  }
};
