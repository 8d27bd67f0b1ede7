import { BASIS_POINTS, limits } from './limits.ts';

/**
 * What each generation of a model gets of the owner's part, the model itself first: each passes a share of what reaches it on to
 * the one that it was trained on, rounded down; the last keeps all. Sums to the amount.
 */
export const lineShares = (amount: bigint, generations: number): bigint[] => {
  const shares: bigint[] = [];
  let left = amount;
  for (let i = 0; i < generations; i++) {
    const passed = i + 1 < generations ? (left * limits.parentShare) / BASIS_POINTS : 0n;
    shares.push(left - passed);
    left = passed;
  }
  return shares;
};
