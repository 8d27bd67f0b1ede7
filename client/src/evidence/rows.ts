import { compareIds } from './corpus.ts';
import { shareOut } from './fixed.ts';

export type EvidenceRow = { readonly contributionId: string; readonly weight: bigint };

const TOTAL = 2n ** 32n - 1n;
const MAX_ROWS = 10_000;

/** Positive scores as weights that sum to 2^32 - 1, by id; of too many the highest. */
export const rowsOf = (scores: readonly { id: string; score: bigint }[]): EvidenceRow[] => {
  const best = scores
    .filter(({ score }) => score > 0n)
    .sort((a, b) => Number(b.score > a.score) - Number(b.score < a.score) || compareIds(a.id, b.id))
    .slice(0, MAX_ROWS)
    .sort((a, b) => compareIds(a.id, b.id));
  const parts = shareOut(
    TOTAL,
    best.map(({ score }) => score),
  );
  return best.map(({ id }, i) => ({ contributionId: id, weight: parts[i] ?? 0n })).filter(({ weight }) => weight > 0n);
};
