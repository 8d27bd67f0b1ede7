import { sha256, stringToBytes } from 'viem';
import { compareIds } from './corpus.ts';
import { type EvidenceRow, rowsOf } from './rows.ts';

/** What `influence` gave for an adapter: contribution id -> 0 to 65535. */
export type InfluencePrior = ReadonlyMap<string, number>;

const HIGHEST = 65535n;
const WHOLE_BPS = 10_000;

const checked = (prior: InfluencePrior): [string, number][] => {
  for (const [id, weight] of prior) {
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= 65535)) throw new RangeError(`prior ${weight} of ${id}`);
  }
  return [...prior];
};

/** What names a prior; recorded with the training. Hex without 0x. @throws RangeError when a weight is none */
export const priorRoot = (prior: InfluencePrior): string => {
  const lines = checked(prior)
    .sort(([a], [b]) => compareIds(a, b))
    .map(([id, weight]) => `${id} ${weight}\n`);
  return sha256(stringToBytes(`openledger influence-0 prior\n${lines.join('')}`)).slice(2);
};

/**
 * Rows of evidence-0 times (lambda + (1 - lambda) * prior): docs/spec/influence-0.md. A contribution without a prior has 0.
 *
 * @param lambdaBps 10,000 leaves the evidence as it is; 0 lets the prior decide what is left of it
 * @throws RangeError when a weight or lambdaBps is out of its range
 */
export const weightByInfluence = (
  rows: readonly EvidenceRow[],
  prior: InfluencePrior,
  lambdaBps: number,
): EvidenceRow[] => {
  if (!(Number.isInteger(lambdaBps) && lambdaBps >= 0 && lambdaBps <= WHOLE_BPS))
    throw new RangeError(`lambda ${lambdaBps}`);
  const weights = new Map(checked(prior));
  const factor = (id: string) =>
    BigInt(lambdaBps) * HIGHEST + BigInt(WHOLE_BPS - lambdaBps) * BigInt(weights.get(id) ?? 0);
  return rowsOf(
    rows.map(({ contributionId, weight }) => ({ id: contributionId, score: weight * factor(contributionId) })),
  );
};
