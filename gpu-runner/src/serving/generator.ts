import type { GenerationRecord } from '@openledger/client';

/** Weights on this machine that answer: a base's folder, and an adapter on it. */
export type ServedWeights = {
  readonly base: string;
  readonly adapter?: { readonly sha256: string; readonly folder: string };
};

/** One request for text, whoever asks and whoever answers. */
export type GenerateRequest = {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: readonly { role: string; content: string }[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  /** 0: no limit. */
  readonly topK: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** Token id -> what its score is raised by. */
  readonly logitBias: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly stop: readonly string[];
  /** How many other tokens are told with each token's probability; undefined: none is told. */
  readonly logprobs?: number;
};

/** Natural logarithm of a token's probability. */
export type TokenChance = { readonly text: string; readonly logprob: number };
export type TokenLogprob = TokenChance & { readonly top: readonly TokenChance[] };

/** How a generator computes: what of an answer depends on neither the request nor the weights. */
export type How = Pick<GenerationRecord, 'sampler' | 'numerics' | 'context_length'>;

export type Generated = {
  text: string;
  finish_reason: 'stop' | 'length';
  prompt_tokens: number;
  completion_tokens: number;
  prompt_sha256: string;
  output_sha256: string;
  output_token_ids: number[];
  how: How;
  logprobs?: TokenLogprob[];
};

export type GenerateOptions = {
  onToken?: (text: string, logprobs?: readonly TokenLogprob[]) => void;
  signal?: AbortSignal;
};

/** What turns prompts into text: our engine, or a vLLM server. Payment, attribution and receipts don't see which. */
export type Generator = {
  /** Ahead of the first request, which otherwise does it. @throws ENGINE_*, MODEL_UNKNOWN */
  load(weights: ServedWeights): Promise<void>;
  /** @throws OVERLOADED, ENGINE_* */
  generate(weights: ServedWeights, request: GenerateRequest, options: GenerateOptions): Promise<Generated>;
  /** Takes an adapter out; running answers end as they would have. */
  unload(adapterSha256: string): Promise<void>;
  /** What was loaded is gone: the process behind it ended. */
  forget(): void;
};
