import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestRemainder } from './largestRemainder.ts';
import { prefixPart } from './prefixPart.ts';

const total = fc.bigInt({ min: 0n, max: 10n ** 30n });
const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { minLength: 1, maxLength: 12 })
  .filter((all) => all.some((weight) => weight > 0n));
const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n);

describe('largestRemainder', () => {
  it('gives what is left to the largest remainders, ties to the lowest key', () => {
    expect(largestRemainder(10n, [1n, 1n, 1n])).toEqual({ parts: [4n, 3n, 3n], lastServed: 0 });
    expect(largestRemainder(11n, [1n, 1n, 1n], [9, 8, 7])).toEqual({ parts: [3n, 4n, 4n], lastServed: 1 });
    // 100 / 3 leaves 1/3 to the first and 2/3 to the second.
    expect(largestRemainder(100n, [1n, 2n])).toEqual({ parts: [33n, 67n], lastServed: 1 });
    expect(() => largestRemainder(1n, [0n])).toThrow(RangeError);
  });

  it('gives each the floor or one more, nothing to weight zero, and exactly the total in all', () => {
    fc.assert(
      fc.property(total, weights, (amount, given) => {
        const { parts, lastServed } = largestRemainder(amount, given);
        const all = sum(given);
        expect(sum(parts)).toBe(amount);
        for (const [i, part] of parts.entries()) {
          const floor = (amount * (given[i] as bigint)) / all;
          expect(part === floor || part === floor + 1n).toBe(true);
          if (given[i] === 0n) expect(part).toBe(0n);
        }
        expect(lastServed).toBeLessThan(given.length);
      }),
    );
  });

  it('never pays less for more weight', () => {
    fc.assert(
      fc.property(total, weights, fc.nat(), fc.bigInt({ min: 1n, max: 10n ** 20n }), (amount, given, at, more) => {
        const i = at % given.length;
        const heavier = given.with(i, (given[i] as bigint) + more);
        const [before, after] = [largestRemainder(amount, given), largestRemainder(amount, heavier)];
        expect((after.parts[i] as bigint) >= (before.parts[i] as bigint)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('prefixPart', () => {
  it('lays an amount along weights so that it is used up exactly', () => {
    fc.assert(
      fc.property(total, weights, (amount, given) => {
        const all = sum(given);
        let before = 0n;
        const parts = given.map((weight) => {
          const part = prefixPart(amount, before, weight, all);
          before += weight;
          return part;
        });
        expect(sum(parts)).toBe(amount);
        for (const [i, part] of parts.entries()) {
          const floor = (amount * (given[i] as bigint)) / all;
          expect(part === floor || part === floor + 1n).toBe(true);
        }
      }),
    );
  });
});
