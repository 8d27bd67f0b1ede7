import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GenerateRequest } from '../src/serving/generator.ts';
import { VllmGenerator } from '../src/serving/vllmGenerator.ts';
import { sha256Of } from '../src/store/contentStore.ts';
import { VllmServer } from './support/vllmServer.ts';

const ADAPTER = { sha256: 'a'.repeat(64), folder: '/store/adapters/a' };
const weights = { base: '/models/base', adapter: ADAPTER };
const request: GenerateRequest = {
  ...{
    model: 'poet',
    prompt: 'Say',
    maxTokens: 9,
    temperature: 0.5,
    topP: 0.9,
    topK: 4,
    minP: 0.1,
    seed: 3,
    stop: ['.'],
  },
  ...{ repetitionPenalty: 1.1, presencePenalty: 0.2, frequencyPenalty: 0.3, logitBias: { 5: -1 } },
};

let server: VllmServer;
let generator: VllmGenerator;
beforeEach(async () => {
  server = await new VllmServer('/models/base').start();
  generator = new VllmGenerator({ url: `${server.url}/` });
});
afterEach(() => server.close());

describe('a vLLM server as the backend', () => {
  it('answers with every parameter of the request, in pieces', async () => {
    const pieces: string[] = [];
    const answer = await generator.generate(weights, request, { onToken: (text) => pieces.push(text) });
    expect(answer).toEqual({
      text: 'Hello',
      finish_reason: 'length',
      prompt_tokens: 3,
      completion_tokens: 2,
      prompt_sha256: sha256Of(Buffer.from('Say')),
      output_sha256: sha256Of(Buffer.from('Hello')),
      output_token_ids: [7, 8],
      how: { sampler: 'vllm', numerics: 'unknown', context_length: 0 },
    });
    expect(pieces).toEqual(['Hel', 'lo']);
    expect(server.asked('/v1/completions')).toEqual([
      {
        ...{ model: ADAPTER.sha256, prompt: 'Say', max_tokens: 9, temperature: 0.5, top_p: 0.9, top_k: 4, min_p: 0.1 },
        ...{ repetition_penalty: 1.1, presence_penalty: 0.2, frequency_penalty: 0.3, logit_bias: { 5: -1 } },
        ...{ seed: 3, stop: ['.'], stream: true, stream_options: { include_usage: true }, return_token_ids: true },
      },
    ]);
  });

  it('loads an adapter once, and one that is there already not at all', async () => {
    await generator.load(weights);
    await generator.generate(weights, request, {});
    expect(server.asked('/v1/load_lora_adapter')).toEqual([{ lora_name: ADAPTER.sha256, lora_path: ADAPTER.folder }]);
    const restarted = new VllmGenerator({ url: server.url });
    await restarted.generate(weights, request, {});
    expect(server.asked('/v1/load_lora_adapter')).toHaveLength(2);
    await generator.unload(ADAPTER.sha256);
    expect(server.adapters.size).toBe(0);
    await generator.unload(ADAPTER.sha256);
    await generator.generate(weights, request, {});
    expect(server.adapters).toEqual(new Set([ADAPTER.sha256]));
  });

  it('serves the base under the name that the server has for it', async () => {
    await generator.generate({ base: '/models/base' }, request, {});
    expect(server.asked('/v1/completions')[0]).toMatchObject({ model: 'served-base' });
    expect(server.asked('/v1/load_lora_adapter')).toEqual([]);
  });

  it('renders a chat there, so that the prompt’s hash is that of what the model read', async () => {
    const messages = [{ role: 'user', content: 'Say hello' }];
    const { prompt: _, ...rest } = request;
    const answer = await generator.generate(weights, { ...rest, messages }, {});
    expect(answer.prompt_sha256).toBe(sha256Of(Buffer.from('<user>Say hello<assistant>')));
    expect(server.asked('/tokenize')[0]).toMatchObject({ messages, add_generation_prompt: true });
    expect(server.asked('/v1/completions')[0]).toMatchObject({ prompt: [1, 2, 3] });
  });

  it('tells log probabilities', async () => {
    const answer = await generator.generate(weights, { ...request, logprobs: 2 }, {});
    expect(answer.logprobs?.[0]).toEqual({
      text: 'Hel',
      logprob: -0.5,
      top: [
        { text: 'Hel', logprob: -0.5 },
        { text: 'no', logprob: -1 },
      ],
    });
  });

  it.each([
    [429, 'OVERLOADED', { error: { message: 'busy' } }],
    [503, 'OVERLOADED', { message: 'starting' }],
    [400, 'ENGINE_REFUSED', { error: { message: 'too long' } }],
    [500, 'ENGINE_FAILED', 'no JSON'],
  ])('that says %i gives %s', async (status, code, body) => {
    server.fail = {
      status,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'retry-after': '7' },
    };
    await expect(generator.generate(weights, request, {})).rejects.toMatchObject({
      code,
      meta: { status, retryAfter: '7' },
    });
  });

  it('that ends in the middle has failed', async () => {
    server.after = 'break';
    await expect(generator.generate(weights, request, {})).rejects.toMatchObject({ code: 'ENGINE_EXITED' });
  });

  it('that is away can be tried again', async () => {
    const away = new VllmGenerator({ url: 'http://127.0.0.1:9' });
    await expect(away.load(weights)).rejects.toMatchObject({ code: 'ENGINE_EXITED', handling: 'retry' });
  });

  it('is told when nobody waits any more', async () => {
    server.after = 'silence';
    const abort = new AbortController();
    const gone = new Promise<void>((resolve) => {
      server.onGone = resolve;
    });
    const answer = generator.generate(weights, request, { signal: abort.signal, onToken: () => abort.abort() });
    await expect(answer).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' });
    await gone;
  });
});
