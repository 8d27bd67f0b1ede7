import { type GenerationRecord, generationHash } from '@openledger/client';
import type { Hex } from 'viem';
import { runnerError } from '../errors.ts';
import type { PaidRequest } from '../gateway/attribution.ts';
import { parseChatCompletion, parseCompletion } from '../gateway/requests.ts';
import type { AdapterFiles } from '../jobs/training.ts';
import type { Generated } from '../serving/generator.ts';

/** All that is needed to compute an answer again, and what it was. Only auditors of the answer are shown it. */
export type Transcript = {
  readonly kind: 'answer';
  readonly generation: GenerationRecord;
  readonly prompt?: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly retrieval?: { readonly top_k: number; readonly datanet_id?: string; readonly datanet_version?: number };
  readonly output_token_ids: readonly number[];
  readonly finish_reason: 'stop' | 'length';
};

/** A training follows from the chain and from files; these are the ones that the chain doesn't name. */
export type TrainingTranscript = {
  readonly kind: 'training';
  readonly job_id: string;
  readonly adapter: AdapterFiles;
  readonly parent?: AdapterFiles;
};

/** A transcript that was read from a stranger, within the limits of requests. */
export type ParsedTranscript = Pick<Transcript, 'generation' | 'output_token_ids' | 'finish_reason'> & {
  readonly request: PaidRequest;
};

const MAX_TOKENS = 8_192;

export const transcriptOf = (request: PaidRequest, generation: GenerationRecord, generated: Generated): Transcript => ({
  kind: 'answer',
  generation,
  ...(request.messages ? { messages: request.messages } : { prompt: request.prompt ?? '' }),
  ...(request.retrieval ? { retrieval: retrievalFields(request.retrieval) } : {}),
  output_token_ids: generated.output_token_ids,
  finish_reason: generated.finish_reason,
});

const retrievalFields = ({ topK, datanet }: NonNullable<PaidRequest['retrieval']>) => ({
  top_k: topK,
  ...(datanet ? { datanet_id: datanet.id.toString(), datanet_version: datanet.version } : {}),
});

/** What a runner hands out as the transcript of an output. @throws TRANSCRIPT_INVALID */
export const parseTranscript = (json: unknown, promptHash: Hex): ParsedTranscript => {
  const { generation, prompt, messages, retrieval, output_token_ids, finish_reason } = (json ?? {}) as Transcript;
  const invalid = (message: string, cause?: unknown) => runnerError('TRANSCRIPT_INVALID', message, {}, cause);
  if (typeof generation !== 'object' || generation === null) throw invalid('it has no generation record');
  // What isn't that of the chain could have been made up to fit the answer.
  if (generationHash(generation) !== promptHash)
    throw invalid('its generation record is not the one that was committed to');
  const { prompt_sha256, sampler, numerics, context_length, ...settings } = generation;
  const tokens: unknown = output_token_ids;
  const isToken = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0;
  if (!Array.isArray(tokens) || tokens.length > MAX_TOKENS || !tokens.every(isToken)) throw invalid('it has no tokens');
  if (finish_reason !== 'stop' && finish_reason !== 'length') throw invalid('it has no finish_reason');
  if (!Number.isSafeInteger(context_length) || typeof numerics !== 'string' || typeof sampler !== 'string') {
    throw invalid('its generation record is incomplete');
  }
  const body = { model: 'audited', ...settings, ...(retrieval ? { retrieval } : {}) };
  try {
    const parsed = messages ? parseChatCompletion({ ...body, messages }) : parseCompletion({ ...body, prompt });
    return { request: parsed, generation, output_token_ids, finish_reason };
  } catch (cause) {
    throw invalid('it is not a request that a runner serves', cause);
  }
};

const HASH = /^[0-9a-f]{64}$/;

/** The files of an adapter, as a stranger names them; the chain knows the hashes of weights and record. @throws TRANSCRIPT_INVALID */
export const parseAdapterFiles = (json: unknown): AdapterFiles => {
  const { weights, config, record } = (json ?? {}) as Record<string, unknown>;
  const isHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);
  if (isHash(weights) && isHash(config) && isHash(record)) return { weights, config, record };
  throw runnerError('TRANSCRIPT_INVALID', 'it does not name the files of the adapter');
};
