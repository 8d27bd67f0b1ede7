import { formatReceipt } from '@openledger/client';
import type { Completion } from './inference.ts';

export type Endpoint = 'completions' | 'chat';

/** What all parts of one answer have in common. */
export type AnswerHead = {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly endpoint: Endpoint;
};

export const usageOf = ({ generated }: Completion) => ({
  prompt_tokens: generated.prompt_tokens,
  completion_tokens: generated.completion_tokens,
  total_tokens: generated.prompt_tokens + generated.completion_tokens,
});

/** The runner's signed receipt, and the attribution; look the output up under its id once it is settled. */
export const receiptOf = ({ record, receipt, runner }: Completion) => ({
  ...formatReceipt(receipt),
  runner,
  attribution: record.rows.map(({ contributionId, weight }) => ({ contribution_id: contributionId, weight })),
});

export const formatCompletion = ({ id, created, endpoint }: AnswerHead, completion: Completion) => {
  const { text, finish_reason } = completion.generated;
  const choice =
    endpoint === 'chat'
      ? { index: 0, message: { role: 'assistant', content: text }, finish_reason, logprobs: null }
      : { index: 0, text, finish_reason, logprobs: null };
  return {
    id,
    object: endpoint === 'chat' ? 'chat.completion' : 'text_completion',
    created,
    model: completion.model.name,
    choices: [choice],
    usage: usageOf(completion),
    openledger: receiptOf(completion),
  };
};

export const formatChunk = (
  { id, created, model, endpoint }: AnswerHead,
  text: string,
  finishReason: string | null,
) => ({
  id,
  object: endpoint === 'chat' ? 'chat.completion.chunk' : 'text_completion',
  created,
  model,
  choices: [
    endpoint === 'chat'
      ? { index: 0, delta: finishReason === null ? { content: text } : {}, finish_reason: finishReason }
      : { index: 0, text, finish_reason: finishReason },
  ],
});
