import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineShares } from './lineShares.ts';

it('gives a base model everything, and each generation a fifth of what its child gets', () => {
  expect(lineShares(1_000n, 1)).toEqual([1_000n]);
  expect(lineShares(1_000n, 2)).toEqual([800n, 200n]);
  expect(lineShares(1_000n, 3)).toEqual([800n, 160n, 40n]);
  expect(lineShares(4n, 8)).toEqual([4n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
});

it('loses no wei, and never pays an ancestor more than its child', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n), fc.integer({ min: 1, max: 8 }), (amount, generations) => {
      const shares = lineShares(amount, generations);
      expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(amount);
      expect(shares.every((share, i) => i === 0 || share <= (shares[i - 1] ?? 0n))).toBe(true);
    }),
  );
});
