import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SHARES, sharesOf } from './shares.ts';

const scores = fc.uniqueArray(
  fc.record({ contributionId: fc.bigInt({ min: 1n, max: 99n }), weight: fc.bigInt({ min: 1n, max: 2n ** 53n }) }),
  { selector: ({ contributionId }) => contributionId, minLength: 1, maxLength: 30 },
);

it('shares add up to the whole, are proportional to less than one, and keep the order', () => {
  const check = fc.property(scores, (rows) => {
    const shares = sharesOf(rows);
    const total = rows.reduce((sum, { weight }) => sum + weight, 0n);
    expect(shares.reduce((sum, { weight }) => sum + weight, 0n)).toBe(SHARES);
    for (const { contributionId, weight } of rows) {
      const share = shares.find((row) => row.contributionId === contributionId)?.weight ?? 0n;
      const error = share * total - weight * SHARES;
      expect(error > -total && error < total).toBe(true);
    }
    expect(shares.map(({ contributionId }) => contributionId)).toEqual(
      rows.map(({ contributionId }) => contributionId).filter((id) => shares.some((row) => row.contributionId === id)),
    );
  });
  fc.assert(check);
});

it('what is left goes to the largest remainders, ties to the lower id', () => {
  const rows = [3n, 2n, 1n].map((contributionId) => ({ contributionId, weight: 1n }));
  expect(sharesOf(rows)).toEqual([
    { contributionId: 3n, weight: 21_845n },
    { contributionId: 2n, weight: 21_845n },
    { contributionId: 1n, weight: 21_846n },
  ]);
  expect(sharesOf([])).toEqual([]);
});
