import { runnerError } from '../errors.ts';
import type { GenerateRequest } from './inference.ts';

const MAX_PROMPT_BYTES = 64 * 1024;
const MAX_MESSAGES = 256;
const MAX_TOKENS = 4096;
const MAX_STOPS = 4;
const roles: ReadonlySet<string> = new Set(['system', 'user', 'assistant']);

const invalid = (message: string) => runnerError('REQUEST_INVALID', message);

const number = (body: Record<string, unknown>, name: string, fallback: number, min: number, max: number): number => {
  const value = body[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw invalid(`${name} must be a number from ${min} to ${max}`);
  }
  return value;
};

const integer = (body: Record<string, unknown>, name: string, fallback: number, min: number, max: number): number => {
  const value = number(body, name, fallback, min, max);
  if (!Number.isInteger(value)) throw invalid(`${name} must be an integer`);
  return value;
};

const stops = (value: unknown): string[] => {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  if (list.length > MAX_STOPS || list.some((stop) => typeof stop !== 'string' || stop === '')) {
    throw invalid(`stop must be a string or up to ${MAX_STOPS} non-empty strings`);
  }
  return list as string[];
};

const common = (
  body: unknown,
): { fields: Record<string, unknown>; shared: Omit<GenerateRequest, 'prompt' | 'messages'> } => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body must be a JSON object');
  const fields = body as Record<string, unknown>;
  if (typeof fields.model !== 'string' || fields.model === '') throw invalid('you must provide a model parameter');
  if ((fields.n ?? 1) !== 1) throw invalid('n other than 1 is not supported');
  return {
    fields,
    shared: {
      model: fields.model,
      maxTokens: integer(
        fields,
        fields.max_completion_tokens === undefined ? 'max_tokens' : 'max_completion_tokens',
        128,
        1,
        MAX_TOKENS,
      ),
      temperature: number(fields, 'temperature', 1, 0, 2),
      topP: number(fields, 'top_p', 1, 0.001, 1),
      seed: integer(fields, 'seed', 0, 0, 2 ** 31 - 1),
      stop: stops(fields.stop),
    },
  };
};

/** @throws REQUEST_INVALID */
export const parseCompletion = (body: unknown): GenerateRequest & { stream: boolean } => {
  const { fields, shared } = common(body);
  if (typeof fields.prompt !== 'string') throw invalid('prompt must be a string');
  if (Buffer.byteLength(fields.prompt) > MAX_PROMPT_BYTES)
    throw invalid(`prompt is longer than ${MAX_PROMPT_BYTES} bytes`);
  return { ...shared, prompt: fields.prompt, stream: fields.stream === true };
};

/** @throws REQUEST_INVALID */
export const parseChatCompletion = (body: unknown): GenerateRequest & { stream: boolean } => {
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
  return { ...shared, messages: parsed, stream: fields.stream === true };
};
