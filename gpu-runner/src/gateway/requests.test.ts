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
      seed: 0,
      stop: [],
      stream: false,
    });
    expect(parseCompletion({ model: 'm', prompt: 'p', stop: 'x', stream: true })).toMatchObject({
      prompt: 'p',
      stop: ['x'],
      stream: true,
    });
    expect(chat({ max_completion_tokens: 7 }).maxTokens).toBe(7);
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
  ])('refuses %s', (_name, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
