import type { Model } from '../chain/runnerView.ts';

/** Wei for a call: prices are per 1,000 tokens, rounded up to the payer's disadvantage by less than one wei per part. */
export const priceOf = (model: Model, promptTokens: number, outputTokens: number): bigint =>
  (BigInt(promptTokens) * model.inputPrice + 999n) / 1000n + (BigInt(outputTokens) * model.outputPrice + 999n) / 1000n;
