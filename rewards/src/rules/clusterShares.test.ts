import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterShares } from './clusterShares.ts';

const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n);
const keysOf = (weights: readonly bigint[]) => weights.map((_, i) => i + 1);
const amount = fc.bigInt({ min: 0n, max: 10n ** 24n });
const weights = fc.array(fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }), { minLength: 1, maxLength: 9 });

describe('clusterShares', () => {
  it('caps one cluster while others have evidence', () => {
    expect(clusterShares(100n, [99n, 1n], [1, 2]).parts).toEqual([80n, 20n]);
    expect(clusterShares(100n, [999n], [1]).parts).toEqual([100n]);
    expect(clusterShares(100n, [8n, 2n], [1, 2]).parts).toEqual([80n, 20n]);
    expect(clusterShares(101n, [1_000_000n, 1n, 1n], [1, 2, 3]).parts).toEqual([81n, 10n, 10n]);
    expect(clusterShares(1n, [1_000_000n, 1n], [1, 2]).parts).toEqual([1n, 0n]);
  });

  it('pays the amount exactly, and nobody more than the cap and a wei', () => {
    fc.assert(
      fc.property(amount, weights, (whole, given) => {
        const { parts } = clusterShares(whole, given, keysOf(given));
        expect(sum(parts)).toBe(whole);
        for (const part of parts) {
          expect(part >= 0n).toBe(true);
          if (given.length > 1) expect(part <= (whole * 8n + 9n) / 10n).toBe(true);
        }
      }),
    );
  });

  it('never pays less for more weight, the cap crossed or not', () => {
    const small = fc.array(fc.bigInt({ min: 1n, max: 40n }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1000n }),
        small,
        fc.nat(),
        fc.bigInt({ min: 1n, max: 100n }),
        (whole, given, at, more) => {
          const i = at % given.length;
          const before = clusterShares(whole, given, keysOf(given)).parts[i] as bigint;
          const heavier = given.with(i, (given[i] as bigint) + more);
          expect((clusterShares(whole, heavier, keysOf(given)).parts[i] as bigint) >= before).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
