import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestRemainder, type Share } from './largestRemainder.ts';

const total = fc.bigInt({ min: 0n, max: 10n ** 30n });
const shares = fc.array(
  fc.record({
    key: fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e', 'f'),
    weight: fc.bigInt({ min: 0n, max: 10n ** 20n }),
  }),
  { maxLength: 12 },
);
const positive = shares.filter((all) => all.some(({ weight }) => weight > 0n));
const object = (parts: Map<string, bigint>) => Object.fromEntries([...parts].sort());
const sum = (parts: Iterable<bigint>) => [...parts].reduce((a, b) => a + b, 0n);

describe('largestRemainder', () => {
  it('gives what is left to the largest remainders, ties to the lowest key', () => {
    const thirds = (keys: string[]): Share<string>[] => keys.map((key) => ({ key, weight: 1n }));
    expect(object(largestRemainder(10n, thirds(['c', 'b', 'a'])))).toEqual({ a: 4n, b: 3n, c: 3n });
    expect(object(largestRemainder(11n, thirds(['c', 'b', 'a'])))).toEqual({ a: 4n, b: 4n, c: 3n });
    const uneven = [
      { key: 'a', weight: 1n },
      { key: 'b', weight: 2n },
    ];
    // 100 / 3 leaves 1/3 to a and 2/3 to b.
    expect(object(largestRemainder(100n, uneven))).toEqual({ a: 33n, b: 67n });
  });

  it('gives nothing when nobody has a weight', () => {
    expect(largestRemainder(10n, [])).toEqual(new Map());
    expect(largestRemainder(10n, [{ key: 'a', weight: 0n }])).toEqual(new Map());
  });

  it('sums exactly to the total', () => {
    fc.assert(
      fc.property(total, positive, (amount, given) => {
        expect(sum(largestRemainder(amount, given).values())).toBe(amount);
      }),
    );
  });

  it('is within one wei of the exact part, so that more weight never means less', () => {
    fc.assert(
      fc.property(total, positive, (amount, given) => {
        const weights = new Map<string, bigint>();
        for (const { key, weight } of given) weights.set(key, (weights.get(key) ?? 0n) + weight);
        const all = sum(weights.values());
        const parts = largestRemainder(amount, given);
        for (const [key, weight] of weights) {
          const floor = (amount * weight) / all;
          expect([floor, floor + 1n]).toContain(parts.get(key) ?? 0n);
          for (const [other, less] of weights) {
            if (less < weight) expect((parts.get(other) ?? 0n) <= (parts.get(key) ?? 0n)).toBe(true);
          }
        }
      }),
    );
  });

  it('is neutral to splitting an entry: two entries of one key count as one', () => {
    fc.assert(
      fc.property(total, positive, fc.nat(), fc.bigInt({ min: 0n, max: 10n ** 20n }), (amount, given, at, cut) => {
        const target = given[at % given.length] as Share<string>;
        const first = cut % (target.weight + 1n);
        const split = [
          ...given.filter((share) => share !== target),
          { key: target.key, weight: first },
          { key: target.key, weight: target.weight - first },
        ];
        expect(object(largestRemainder(amount, split))).toEqual(object(largestRemainder(amount, given)));
      }),
    );
  });

  it('does not depend on the order of the entries', () => {
    fc.assert(
      fc.property(
        total,
        positive.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
        ),
        (amount, [given, shuffled]) => {
          expect(object(largestRemainder(amount, shuffled))).toEqual(object(largestRemainder(amount, given)));
        },
      ),
    );
  });
});
