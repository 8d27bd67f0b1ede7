import { createHash } from 'node:crypto';
import { isOpenLedgerError } from '@openledger/kit';
import { runnerError } from '../errors.ts';
import type {
  Generated,
  GenerateOptions,
  GenerateRequest,
  Generator,
  ServedWeights,
  TokenLogprob,
} from './generator.ts';
import { LoadMemory } from './loadMemory.ts';
import { readEvents } from './readEvents.ts';
import { generationFields } from './samplingFields.ts';

const REQUEST_TIMEOUT_MS = 600_000;

/** Its random numbers are its own: an auditor can check the likeliest tokens of an answer, and nothing of a sampled one. */
const HOW = { sampler: 'vllm', numerics: 'unknown', context_length: 0 } as const;

type Chunk = {
  choices?: readonly {
    text?: string;
    finish_reason?: string | null;
    token_ids?: readonly number[] | null;
    logprobs?: {
      tokens: readonly string[];
      token_logprobs: readonly (number | null)[];
      top_logprobs?: readonly (Record<string, number> | null)[] | null;
    } | null;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  error?: { message?: string };
};

type Failure = { error?: { message?: string }; message?: string };

/**
 * A vLLM server in place of our engine (0.10 or newer, started with --enable-lora and, for adapters,
 * VLLM_ALLOW_RUNTIME_LORA_UPDATING=True). It sees the same folders. Chats are tokenized there and sent as token ids, so that
 * the hash of the prompt is that of the text which the model read.
 */
export class VllmGenerator implements Generator {
  readonly #url: string;
  readonly #loaded = new LoadMemory();

  constructor(options: { url: string }) {
    this.#url = options.url.replace(/\/+$/, '');
  }

  async load(weights: ServedWeights): Promise<void> {
    await this.#model(weights);
  }

  async generate(weights: ServedWeights, request: GenerateRequest, options: GenerateOptions): Promise<Generated> {
    const model = await this.#model(weights);
    const prompt = await this.#prompt(model, request, options.signal);
    const response = await this.#post(
      '/v1/completions',
      { ...vllmParams(request), model, prompt: prompt.ids ?? prompt.text },
      options.signal,
    );
    const parts = { text: '', ids: [] as number[], logprobs: [] as TokenLogprob[] };
    let finish: string | null | undefined;
    let usage: Chunk['usage'];
    try {
      for await (const data of readEvents(response)) {
        if (data === '[DONE]') break;
        const chunk = JSON.parse(data) as Chunk;
        if (chunk.error) throw runnerError('ENGINE_FAILED', `vLLM: ${chunk.error.message ?? 'failed'}`);
        const choice = chunk.choices?.[0];
        usage = chunk.usage ?? usage;
        finish = choice?.finish_reason ?? finish;
        const logprobs = readLogprobs(choice);
        parts.text += choice?.text ?? '';
        parts.ids.push(...(choice?.token_ids ?? []));
        parts.logprobs.push(...(logprobs ?? []));
        if (choice?.text || logprobs?.length) options.onToken?.(choice?.text ?? '', logprobs);
      }
    } catch (error) {
      if (options.signal?.aborted) throw cancelled(error);
      if (isOpenLedgerError(error)) throw error;
      throw runnerError('ENGINE_EXITED', 'vLLM broke off its answer', {}, error);
    }
    if (!usage || (finish !== 'stop' && finish !== 'length')) {
      throw runnerError('ENGINE_FAILED', 'vLLM ended its answer without a usage or a reason');
    }
    return {
      text: parts.text,
      finish_reason: finish,
      prompt_tokens: usage.prompt_tokens,
      completion_tokens: usage.completion_tokens,
      prompt_sha256: sha256(prompt.text),
      output_sha256: sha256(parts.text),
      output_token_ids: parts.ids,
      how: HOW,
      ...(request.logprobs === undefined ? {} : { logprobs: parts.logprobs }),
    };
  }

  async unload(adapterSha256: string): Promise<void> {
    this.#loaded.delete(adapterSha256);
    await this.#post('/v1/unload_lora_adapter', { lora_name: adapterSha256 }).catch((error) => {
      if (error.meta?.status !== 404) throw error;
    });
  }

  forget(): void {
    this.#loaded.clear();
  }

  /** vLLM's name of the weights: the base as it serves it, or the adapter by its hash. */
  async #model({ base, adapter }: ServedWeights): Promise<string> {
    const served = await this.#loaded.once(`base:${base}`, () => this.#findBase(base));
    if (!adapter) return served;
    await this.#loaded.once(adapter.sha256, () => this.#loadAdapter(adapter));
    return adapter.sha256;
  }

  async #findBase(folder: string): Promise<string> {
    const response = await this.#send('/v1/models', { method: 'GET' });
    const { data } = (await response.json()) as {
      data: { id: string; root?: string | null; parent?: string | null }[];
    };
    const bases = data.filter(({ parent }) => !parent);
    const found = bases.find(({ root }) => root === folder) ?? (bases.length === 1 ? bases[0] : undefined);
    if (found) return found.id;
    throw runnerError('MODEL_UNKNOWN', `vLLM at ${this.#url} serves ${bases.length} bases, and none is ${folder}`);
  }

  async #loadAdapter({ sha256: name, folder }: { sha256: string; folder: string }): Promise<void> {
    try {
      await this.#post('/v1/load_lora_adapter', { lora_name: name, lora_path: folder });
    } catch (error) {
      // The runner was restarted and vLLM wasn't: the name is the content's hash, so it is the same adapter.
      if (!/already been loaded/.test((error as Error).message)) throw error;
    }
  }

  async #prompt(
    model: string,
    request: GenerateRequest,
    signal?: AbortSignal,
  ): Promise<{ text: string; ids?: number[] }> {
    if (!request.messages) return { text: request.prompt ?? '' };
    const asked = { model, messages: request.messages, add_generation_prompt: true };
    const tokenized = await this.#post('/tokenize', asked, signal);
    const { tokens } = (await tokenized.json()) as { tokens: number[] };
    const detokenized = await this.#post('/detokenize', { model, tokens }, signal);
    const { prompt } = (await detokenized.json()) as { prompt: string };
    return { text: prompt, ids: tokens };
  }

  #post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return this.#send(path, { method: 'POST', headers, body: JSON.stringify(body) }, signal);
  }

  async #send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const both = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, signal: both });
    } catch (error) {
      if (signal?.aborted) throw cancelled(error);
      throw runnerError('ENGINE_EXITED', `vLLM at ${this.#url} does not answer`, {}, error);
    }
    if (response.ok) return response;
    throw await failureOf(response);
  }
}

const cancelled = (cause: unknown) => runnerError('ENGINE_CANCELLED', 'the request was cancelled', {}, cause);

const failureOf = async (response: Response): Promise<Error> => {
  const text = await response.text();
  let message = text;
  try {
    const body = JSON.parse(text) as Failure;
    message = body.error?.message ?? body.message ?? text;
  } catch {
    // Not every error of a server in between is JSON.
  }
  const { status } = response;
  const retryAfter = response.headers.get('retry-after');
  const meta = { status, ...(retryAfter ? { retryAfter } : {}) };
  if (status === 429 || status === 503) return runnerError('OVERLOADED', `vLLM: ${message}`, meta);
  return runnerError(status < 500 ? 'ENGINE_REFUSED' : 'ENGINE_FAILED', `vLLM: ${message}`, meta);
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const vllmParams = (request: GenerateRequest) => ({
  ...generationFields(request),
  stream: true,
  stream_options: { include_usage: true },
  return_token_ids: true,
});

const readLogprobs = (choice: NonNullable<Chunk['choices']>[number] | undefined): TokenLogprob[] | undefined =>
  choice?.logprobs?.tokens.map((text, at) => ({
    text,
    logprob: choice.logprobs?.token_logprobs[at] ?? -9999,
    top: Object.entries(choice.logprobs?.top_logprobs?.[at] ?? {}).map(([other, logprob]) => ({
      text: other,
      logprob,
    })),
  }));
