import { isOpenLedgerError } from '@openledger/kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Hex } from 'viem';
import type { Generated } from '../serving/generator.ts';
import {
  type AnswerHead,
  type Endpoint,
  formatChunk,
  formatCompletion,
  formatRole,
  formatUsage,
  receiptOf,
} from './answers.ts';
import { credentialOf } from './credential.ts';
import { toErrorAnswer } from './errorAnswers.ts';
import type { CallOptions, Completion, Inference } from './inference.ts';
import type { CompletionRequest } from './requests.ts';
import type { AnswerClock, ServingMetrics } from './servingMetrics.ts';
import { type Payee, paymentRequired, paymentResponse } from './x402.ts';

export type AnswerOptions = {
  inference: Inference;
  payee: Payee;
  now(): number;
  metrics: ServingMetrics;
  /** sha256 of a request's body as it came. */
  bodyHash(request: FastifyRequest): Hex;
};

type Answer = { generated: Generated; completion?: Completion };

/** The client went away: nobody reads the status. */
const GONE = '499';

/** Answers completions, whole or as a stream; without enough money with x402's 402. */
export const answerInference = (options: AnswerOptions) => {
  const { inference, payee } = options;

  const complete = async (body: CompletionRequest, call: CallOptions): Promise<Answer> => {
    const local = await inference.completeLocal(body, call);
    if (local) return { generated: local };
    const completion = await inference.complete(body, call);
    return { generated: completion.generated, completion };
  };

  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    body: CompletionRequest,
    endpoint: Endpoint,
  ): Promise<unknown> => {
    const id = `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${crypto.randomUUID()}`;
    const head: AnswerHead = { id, created: Math.floor(options.now() / 1000), model: body.model, endpoint };
    const clock = options.metrics.start(endpoint);
    // Nobody pays for an answer that nobody waits for any more.
    const abort = new AbortController();
    reply.raw.on('close', () => abort.abort());
    try {
      const credential = credentialOf(request.headers);
      const call = { credential, bodyHash: options.bodyHash(request), signal: abort.signal };
      if (body.stream) return await stream(reply, body, head, call, clock);
      const { generated, completion } = await complete(body, { ...call, onToken: clock.piece });
      clock.ended('200', generated);
      if (!completion) return formatCompletion(head, generated);
      reply.header('x-receipt', completion.record.outputId);
      const response = paymentResponse(completion, payee);
      // Version 1 reads the X- header, version 2 the other.
      reply.header('payment-response', response).header('x-payment-response', response);
      return formatCompletion({ ...head, model: completion.model.name }, generated, receiptOf(completion));
    } catch (error) {
      const { status } = toErrorAnswer(error);
      clock.ended(abort.signal.aborted ? GONE : String(status));
      if (!isOpenLedgerError(error) || status !== 402) throw error;
      const url = `${request.protocol}://${request.host}${request.url}`;
      const answer = paymentRequired(error, payee, url);
      return reply.code(402).header('payment-required', answer.header).send(answer.body);
    }
  };

  async function stream(
    reply: FastifyReply,
    body: CompletionRequest,
    head: AnswerHead,
    call: CallOptions,
    clock: AnswerClock,
  ): Promise<void> {
    let started = false;
    let told = 0;
    const write = (data: unknown) => {
      reply.raw.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    };
    const begin = () => {
      if (started) return;
      started = true;
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      if (head.endpoint === 'chat') write(formatRole(head));
    };
    try {
      const onToken: CallOptions['onToken'] = (text, logprobs) => {
        clock.piece();
        begin();
        write(formatChunk(head, { text, logprobs, start: told }));
        told += text.length;
      };
      const { generated, completion } = await complete(body, { ...call, onToken });
      begin();
      write({
        ...formatChunk(head, { text: '', finishReason: generated.finish_reason }),
        ...(completion ? { openledger: receiptOf(completion) } : {}),
      });
      if (body.includeUsage) write(formatUsage(head, generated));
      write('[DONE]');
      reply.raw.end();
      clock.ended('200', generated);
    } catch (error) {
      if (!started) throw error;
      const { status, body: answer } = toErrorAnswer(error);
      clock.ended(call.signal?.aborted ? GONE : String(status));
      write(answer);
      reply.raw.end();
    }
  }
};
