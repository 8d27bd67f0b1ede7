import { type Division, largestRemainder } from './largestRemainder.ts';
import { BASIS_POINTS, limits } from './limits.ts';

/**
 * Divides the contributors' part of an output over the clusters that its evidence names, by largest remainder. One that has
 * more than the cap gets the cap, rounded up; the others share the rest. `keys` are the clusters' ids.
 */
export const clusterShares = (amount: bigint, weights: readonly bigint[], keys: readonly number[]): Division => {
  const heaviest = cappedAt(weights);
  if (heaviest < 0) return largestRemainder(amount, weights, keys);
  const most = (amount * limits.contributorCap + BASIS_POINTS - 1n) / BASIS_POINTS;
  const others = largestRemainder(amount - most, weights.with(heaviest, 0n), keys);
  return { parts: others.parts.with(heaviest, most), lastServed: others.lastServed };
};

/** The one cluster over the cap, or -1. */
const cappedAt = (weights: readonly bigint[]): number => {
  if (weights.length < 2) return -1;
  let [sum, heaviest] = [0n, 0];
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as bigint;
    sum += weight;
    if (weight > (weights[heaviest] as bigint)) heaviest = i;
  }
  return (weights[heaviest] as bigint) * BASIS_POINTS > sum * limits.contributorCap ? heaviest : -1;
};
