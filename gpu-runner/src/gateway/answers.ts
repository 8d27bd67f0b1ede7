import { formatReceipt } from '@openledger/client';
import { batchMethods } from '@openledger/contracts';
import type { Generated, TokenLogprob } from '../serving/generator.ts';
import type { Completion } from './inference.ts';

export type Endpoint = 'completions' | 'chat';

/** What all parts of one answer have in common. */
export type AnswerHead = {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly endpoint: Endpoint;
};

export const usageOf = ({ prompt_tokens, completion_tokens }: Generated) => ({
  prompt_tokens,
  completion_tokens,
  total_tokens: prompt_tokens + completion_tokens,
});

/**
 * The runner's signed receipt, what its `prompt_hash` is the hash of, and the attribution; look the output up under its id
 * once it is settled.
 */
export const receiptOf = ({ record, receipt, runner, generation }: Completion) => ({
  ...formatReceipt(receipt),
  runner,
  generation,
  method: methodNames[record.method] ?? null,
  ...(record.citations ? { citations: record.citations } : {}),
  attribution: record.rows.map(({ contributionId, weight }) => ({ contribution_id: contributionId, weight })),
});

const methodNames: Readonly<Record<number, string>> = {
  [batchMethods.evidence0]: 'evidence-0',
  [batchMethods.retrieval0]: 'retrieval-0',
  [batchMethods.influence0]: 'influence-0',
};

export type Receipt = ReturnType<typeof receiptOf>;

export const formatCompletion = (head: AnswerHead, generated: Generated, receipt?: Receipt) => {
  const { id, created, model, endpoint } = head;
  const { text, finish_reason } = generated;
  const logprobs = formatLogprobs(endpoint, generated.logprobs);
  const choice =
    endpoint === 'chat'
      ? { index: 0, message: { role: 'assistant', content: text }, finish_reason, logprobs }
      : { index: 0, text, finish_reason, logprobs };
  return {
    id,
    object: endpoint === 'chat' ? 'chat.completion' : 'text_completion',
    created,
    model,
    choices: [choice],
    usage: usageOf(generated),
    ...(receipt ? { openledger: receipt } : {}),
  };
};

/** A part of a streamed answer. `start` is the length of the text before it. */
export const formatChunk = (
  { id, created, model, endpoint }: AnswerHead,
  part: { text: string; finishReason?: string; logprobs?: readonly TokenLogprob[] | undefined; start?: number },
) => {
  const { text, finishReason = null, logprobs, start = 0 } = part;
  const told = logprobs ? { logprobs: formatLogprobs(endpoint, logprobs, start) } : {};
  return {
    id,
    object: endpoint === 'chat' ? 'chat.completion.chunk' : 'text_completion',
    created,
    model,
    choices: [
      endpoint === 'chat'
        ? { index: 0, delta: finishReason === null ? { content: text } : {}, finish_reason: finishReason, ...told }
        : { index: 0, text, finish_reason: finishReason, ...told },
    ],
  };
};

/** The first chunk of a chat says who speaks; only the chunk of the usage has no choices. */
export const formatRole = (head: AnswerHead) => {
  const chunk = formatChunk(head, { text: '' });
  return { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] };
};

export const formatUsage = (head: AnswerHead, generated: Generated) => ({
  ...formatChunk(head, { text: '' }),
  choices: [],
  usage: usageOf(generated),
});

const formatLogprobs = (endpoint: Endpoint, tokens: readonly TokenLogprob[] | undefined, start = 0) => {
  if (!tokens) return null;
  const one = ({ text, logprob }: { text: string; logprob: number }) => ({
    token: text,
    logprob,
    bytes: [...Buffer.from(text)],
  });
  if (endpoint === 'chat') {
    return { content: tokens.map((token) => ({ ...one(token), top_logprobs: token.top.map(one) })), refusal: null };
  }
  let offset = start;
  const offsets = tokens.map(({ text }) => {
    offset += text.length;
    return offset - text.length;
  });
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, logprob]))),
    text_offset: offsets,
  };
};
