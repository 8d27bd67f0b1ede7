import { runnerError } from '../errors.ts';
import type { PaidRequest, RetrievalRequest } from './attribution.ts';

const MAX_PROMPT_BYTES = 64 * 1024;
const MAX_MESSAGES = 256;
const MAX_TOKENS = 4096;
const MAX_STOPS = 4;
const MAX_STOP_CHARACTERS = 256;
const MAX_BIASES = 300;
const MAX_LOGPROBS = 20;
const MAX_PASSAGES = 16;
const roles: ReadonlySet<string> = new Set(['system', 'user', 'assistant']);

type Fields = Record<string, unknown>;

/** A request for text, and how its answer is to be sent. */
export type CompletionRequest = PaidRequest & { readonly stream: boolean; readonly includeUsage: boolean };

const invalid = (message: string) => runnerError('REQUEST_INVALID', message);

const number = (body: Fields, name: string, fallback: number, min: number, max: number): number => {
  const value = body[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw invalid(`${name} must be a number from ${min} to ${max}`);
  }
  return value;
};

const integer = (body: Fields, name: string, fallback: number, min: number, max: number): number => {
  const value = number(body, name, fallback, min, max);
  if (!Number.isInteger(value)) throw invalid(`${name} must be an integer`);
  return value;
};

const flag = (body: Fields, name: string): boolean => {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
  return value;
};

const stops = (value: unknown): string[] => {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const fits = (stop: unknown) => typeof stop === 'string' && stop !== '' && stop.length <= MAX_STOP_CHARACTERS;
  if (list.length > MAX_STOPS || !list.every(fits)) {
    throw invalid(`stop must be a string or up to ${MAX_STOPS}, of 1 to ${MAX_STOP_CHARACTERS} characters each`);
  }
  return list as string[];
};

const biases = (value: unknown): Record<string, number> => {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('logit_bias must map token ids to numbers');
  const entries = Object.entries(value as Fields);
  if (entries.length > MAX_BIASES) throw invalid(`logit_bias has more than ${MAX_BIASES} entries`);
  for (const [token] of entries) {
    if (!/^\d{1,9}$/.test(token)) throw invalid('logit_bias must map token ids to numbers');
    number(value as Fields, token, 0, -100, 100);
  }
  return value as Record<string, number>;
};

/** What would change the answer's shape in ways that aren't served is refused, not ignored. */
const refuseUnserved = (fields: Fields): void => {
  if ((fields.n ?? 1) !== 1) throw invalid('n other than 1 is not supported');
  if ((fields.best_of ?? 1) !== 1) throw invalid('best_of other than 1 is not supported');
  const format = (fields.response_format ?? { type: 'text' }) as Fields;
  if (format.type !== 'text') throw invalid('response_format other than text is not supported');
  for (const name of ['tools', 'functions', 'suffix', 'echo', 'guided_json', 'structured_outputs']) {
    const value = fields[name];
    const empty = value === undefined || value === null || value === false || value === '';
    if (!empty && !(Array.isArray(value) && value.length === 0)) throw invalid(`${name} is not supported`);
  }
};

const streaming = (fields: Fields): Pick<CompletionRequest, 'stream' | 'includeUsage'> => {
  const stream = flag(fields, 'stream');
  const { stream_options: options } = fields;
  if (options === undefined || options === null) return { stream, includeUsage: false };
  if (!stream) throw invalid('stream_options needs stream');
  if (typeof options !== 'object') throw invalid('stream_options must be an object');
  return { stream, includeUsage: flag(options as Fields, 'include_usage') };
};

/** `{"retrieval": {"top_k": 4, "datanet_id": "1", "datanet_version": 2}}`; the model's own data when none is named. */
const retrieval = ({ retrieval: asked }: Fields): { retrieval?: RetrievalRequest } => {
  if (asked === undefined || asked === null) return {};
  if (typeof asked !== 'object' || Array.isArray(asked)) throw invalid('retrieval must be an object');
  const fields = asked as Fields;
  const topK = integer(fields, 'top_k', 4, 1, MAX_PASSAGES);
  if (fields.datanet_id === undefined) return { retrieval: { topK } };
  if (typeof fields.datanet_id !== 'string' || !/^\d{1,20}$/.test(fields.datanet_id)) {
    throw invalid('retrieval.datanet_id must be a decimal number in a string');
  }
  const version = integer(fields, 'datanet_version', 1, 1, 2 ** 32 - 1);
  return { retrieval: { topK, datanet: { id: BigInt(fields.datanet_id), version } } };
};

const common = (
  body: unknown,
): { fields: Fields; shared: Omit<CompletionRequest, 'prompt' | 'messages' | 'logprobs'> } => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body must be a JSON object');
  const fields = body as Fields;
  if (typeof fields.model !== 'string' || fields.model === '') throw invalid('you must provide a model parameter');
  refuseUnserved(fields);
  const longest = (fields.max_completion_tokens ?? undefined) === undefined ? 'max_tokens' : 'max_completion_tokens';
  return {
    fields,
    shared: {
      model: fields.model,
      maxTokens: integer(fields, longest, 128, 1, MAX_TOKENS),
      temperature: number(fields, 'temperature', 1, 0, 2),
      topP: number(fields, 'top_p', 1, 0.001, 1),
      // vLLM's clients say -1 for no limit.
      topK: Math.max(integer(fields, 'top_k', 0, -1, 1_000_000), 0),
      minP: number(fields, 'min_p', 0, 0, 1),
      repetitionPenalty: number(fields, 'repetition_penalty', 1, 0.01, 100),
      presencePenalty: number(fields, 'presence_penalty', 0, -2, 2),
      frequencyPenalty: number(fields, 'frequency_penalty', 0, -2, 2),
      logitBias: biases(fields.logit_bias),
      seed: integer(fields, 'seed', 0, 0, 2 ** 31 - 1),
      stop: stops(fields.stop),
      ...streaming(fields),
      ...retrieval(fields),
    },
  };
};

/** @throws REQUEST_INVALID */
export const parseCompletion = (body: unknown): CompletionRequest => {
  const { fields, shared } = common(body);
  if (typeof fields.prompt !== 'string') throw invalid('prompt must be a string');
  if (Buffer.byteLength(fields.prompt) > MAX_PROMPT_BYTES)
    throw invalid(`prompt is longer than ${MAX_PROMPT_BYTES} bytes`);
  const told = fields.logprobs ?? undefined;
  return {
    ...shared,
    prompt: fields.prompt,
    ...(told === undefined ? {} : { logprobs: integer(fields, 'logprobs', 0, 0, MAX_LOGPROBS) }),
  };
};

/** @throws REQUEST_INVALID */
export const parseChatCompletion = (body: unknown): CompletionRequest => {
  const { fields, shared } = common(body);
  const { messages } = fields;
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > MAX_MESSAGES) {
    throw invalid(`messages must be a list of 1 to ${MAX_MESSAGES} messages`);
  }
  const parsed = messages.map((message: unknown) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    if (typeof role !== 'string' || !roles.has(role))
      throw invalid('each message needs a role: system, user or assistant');
    if (typeof content !== 'string') throw invalid('each message needs content, a string');
    return { role, content };
  });
  const size = parsed.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (size > MAX_PROMPT_BYTES) throw invalid(`messages are longer than ${MAX_PROMPT_BYTES} bytes`);
  const told = flag(fields, 'logprobs');
  const top = integer(fields, 'top_logprobs', 0, 0, MAX_LOGPROBS);
  if (top > 0 && !told) throw invalid('top_logprobs needs logprobs');
  return { ...shared, messages: parsed, ...(told ? { logprobs: top } : {}) };
};
