import type { BatchRow } from './batchOutput.ts';

/** What the weights of an output's rows add up to. */
export const SHARES = 65_536n;

/**
 * Scores of any size as shares of 65,536, by largest remainder, ties to the lower contribution id; rows with a share of 0 are
 * left out. Two bytes a row instead of four or more, for less than 1/65,536 of the contributors' part.
 */
export const sharesOf = (scores: readonly BatchRow[]): BatchRow[] => {
  const total = scores.reduce((sum, { weight }) => sum + weight, 0n);
  if (total === 0n) return [];
  const parts = scores.map(({ contributionId, weight }) => ({
    contributionId,
    weight: (weight * SHARES) / total,
    remainder: (weight * SHARES) % total,
  }));
  let left = SHARES - parts.reduce((sum, { weight }) => sum + weight, 0n);
  const byRemainder = [...parts].sort(
    (a, b) => compare(b.remainder, a.remainder) || compare(a.contributionId, b.contributionId),
  );
  for (const part of byRemainder) {
    if (left-- === 0n) break;
    part.weight += 1n;
  }
  return parts.filter(({ weight }) => weight > 0n).map(({ contributionId, weight }) => ({ contributionId, weight }));
};

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
