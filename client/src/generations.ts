import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Hex } from 'viem';

/**
 * All that an answer followed from, beside the weights: what the model was shown and how its tokens were chosen. Fields are named as in
 * the API. Its hash stands on chain as the answer's promptHash, so that anybody who is shown the prompt can compute the answer again.
 */
export type GenerationRecord = {
  /** Of the text that the model read, hex without 0x: a chat after its template, with the passages of a retrieval. */
  readonly prompt_sha256: string;
  /** The rule that chose the tokens: `openledger-0` (docs/serving.md), or another server's. */
  readonly sampler: string;
  /** Kind of device and precision, such as `cpu-float32`: it bounds how far another machine's logits may be away. */
  readonly numerics: string;
  /** Most tokens of prompt and answer together. */
  readonly context_length: number;
  readonly max_tokens: number;
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k: number;
  readonly min_p: number;
  readonly repetition_penalty: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly logit_bias: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly stop: readonly string[];
};

/** sha256 of the record as canonical JSON (RFC 8785). */
export const generationHash = (record: GenerationRecord): Hex =>
  `0x${createHash('sha256')
    .update(canonicalize(record) as string)
    .digest('hex')}`;
