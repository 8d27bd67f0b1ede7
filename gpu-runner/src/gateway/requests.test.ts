import { describe, expect, it } from 'vitest';
import { parseChatCompletion, parseCompletion } from './requests.ts';

const chat = (fields: Record<string, unknown>) =>
  parseChatCompletion({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields });

describe('request parsing', () => {
  it('fills the defaults of the OpenAI API', () => {
    expect(chat({})).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      maxTokens: 128,
      temperature: 1,
      topP: 1,
      topK: 0,
      minP: 0,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      logitBias: {},
      seed: 0,
      stop: [],
      stream: false,
      includeUsage: false,
    });
    expect(parseCompletion({ model: 'm', prompt: 'p', stop: 'x', stream: true })).toMatchObject({
      prompt: 'p',
      stop: ['x'],
      stream: true,
    });
    expect(chat({ max_completion_tokens: 7 }).maxTokens).toBe(7);
    expect(chat({ max_completion_tokens: null, max_tokens: 9 }).maxTokens).toBe(9);
    expect(chat({ logprobs: true }).logprobs).toBe(0);
    expect(chat({ logprobs: true, top_logprobs: 5 }).logprobs).toBe(5);
    expect(chat({ logprobs: false })).not.toHaveProperty('logprobs');
    expect(parseCompletion({ model: 'm', prompt: 'p', logprobs: 3, top_k: -1 })).toMatchObject({
      logprobs: 3,
      topK: 0,
    });
    expect(chat({ stream: true, stream_options: { include_usage: true } }).includeUsage).toBe(true);
    expect(chat({ logit_bias: { 50256: -100 } }).logitBias).toEqual({ 50256: -100 });
    expect(() => chat({ response_format: { type: 'text' }, tools: [], n: 1 })).not.toThrow();
  });

  it.each([
    ['no object', () => parseCompletion(null)],
    ['an array', () => parseCompletion([])],
    ['no model', () => parseCompletion({ prompt: 'p' })],
    ['no prompt', () => parseCompletion({ model: 'm' })],
    ['a prompt that is too long', () => parseCompletion({ model: 'm', prompt: 'x'.repeat(70_000) })],
    ['no messages', () => chat({ messages: [] })],
    ['an unknown role', () => chat({ messages: [{ role: 'root', content: 'x' }] })],
    ['content that is no string', () => chat({ messages: [{ role: 'user', content: 5 }] })],
    ['a null message', () => chat({ messages: [null] })],
    ['zero tokens', () => chat({ max_tokens: 0 })],
    ['fractional tokens', () => chat({ max_tokens: 1.5 })],
    ['NaN temperature', () => chat({ temperature: Number.NaN })],
    ['temperature above 2', () => chat({ temperature: 2.1 })],
    ['top_p of 0', () => chat({ top_p: 0 })],
    ['five stops', () => chat({ stop: ['1', '2', '3', '4', '5'] })],
    ['an empty stop', () => chat({ stop: '' })],
    ['n of 2', () => chat({ n: 2 })],
    ['a stop of 300 characters', () => chat({ stop: 'x'.repeat(300) })],
    ['JSON mode', () => chat({ response_format: { type: 'json_object' } })],
    ['tools', () => chat({ tools: [{ type: 'function' }] })],
    ['echo', () => parseCompletion({ model: 'm', prompt: 'p', echo: true })],
    ['top_logprobs alone', () => chat({ top_logprobs: 2 })],
    ['21 logprobs', () => parseCompletion({ model: 'm', prompt: 'p', logprobs: 21 })],
    ['logprobs that are a number in a chat', () => chat({ logprobs: 1 })],
    ['stream options without a stream', () => chat({ stream_options: { include_usage: true } })],
    ['a stream that is a text', () => chat({ stream: 'yes' })],
    ['a penalty of 3', () => chat({ presence_penalty: 3 })],
    ['a bias of 101', () => chat({ logit_bias: { 5: 101 } })],
    ['a bias for no token', () => chat({ logit_bias: { the: 1 } })],
    ['a list of biases', () => chat({ logit_bias: [1] })],
    [
      '301 biases',
      () => chat({ logit_bias: Object.fromEntries(Array.from({ length: 301 }, (_, token) => [token, 1])) }),
    ],
    ['a fractional top_k', () => chat({ top_k: 1.5 })],
  ])('refuses %s', (_name, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
