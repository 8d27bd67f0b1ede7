/**
 * The part of an entry whose weight follows `before` in a row of weights that sum to `total`. All parts of the row sum to
 * `amount` exactly, and each can be computed from the sums alone, without the other weights.
 */
export const prefixPart = (amount: bigint, before: bigint, weight: bigint, total: bigint): bigint =>
  (amount * (before + weight)) / total - (amount * before) / total;
