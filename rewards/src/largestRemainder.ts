export type Share<K extends string> = { readonly key: K; readonly weight: bigint };

/**
 * Splits `total` in proportion to the weights: everyone gets the floor, what is left goes one by one to the largest
 * remainders, ties to the lowest key. Parts always sum exactly to `total` when any weight is positive; weights of equal
 * keys are summed first, so that splitting an entry in two changes nothing. All amounts in wei.
 */
export const largestRemainder = <K extends string>(total: bigint, shares: readonly Share<K>[]): Map<K, bigint> => {
  const weights = new Map<K, bigint>();
  for (const { key, weight } of shares) if (weight > 0n) weights.set(key, (weights.get(key) ?? 0n) + weight);
  const sum = [...weights.values()].reduce((a, b) => a + b, 0n);
  const parts = new Map<K, bigint>();
  if (sum === 0n) return parts;
  let left = total;
  const remainders: { key: K; remainder: bigint }[] = [];
  for (const [key, weight] of weights) {
    const part = (total * weight) / sum;
    parts.set(key, part);
    left -= part;
    remainders.push({ key, remainder: (total * weight) % sum });
  }
  remainders.sort((a, b) =>
    a.remainder !== b.remainder ? (a.remainder > b.remainder ? -1 : 1) : a.key < b.key ? -1 : 1,
  );
  for (const { key } of remainders) {
    if (left === 0n) break;
    parts.set(key, (parts.get(key) ?? 0n) + 1n);
    left -= 1n;
  }
  return parts;
};
