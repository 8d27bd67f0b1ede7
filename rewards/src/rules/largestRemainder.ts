export type Division = {
  readonly parts: bigint[];
  /** The entry that got the last of the left over wei; 0 when nothing was left over. */
  readonly lastServed: number;
};

/**
 * Splits `total` in proportion to the weights, of which at least one is positive: everyone gets the floor, what is left goes
 * one by one to the largest remainders, ties to the lowest key. The parts sum to `total` exactly. Amounts in wei. The contract
 * does the same: RewardShares.sol.
 */
export const largestRemainder = (
  total: bigint,
  weights: readonly bigint[],
  keys: readonly number[] = weights.map((_, index) => index),
): Division => {
  let sum = 0n;
  for (const weight of weights) sum += weight;
  if (sum === 0n) throw new RangeError('nothing weighs anything');
  const parts: bigint[] = [];
  const remainders: bigint[] = [];
  let left = total;
  for (const weight of weights) {
    const product = total * weight;
    const part = product / sum;
    parts.push(part);
    remainders.push(product - part * sum);
    left -= part;
  }
  if (left === 0n) return { parts, lastServed: 0 };
  const order = keys.map((_, index) => index);
  order.sort((a, b) => {
    const [one, other] = [remainders[a] as bigint, remainders[b] as bigint];
    if (one !== other) return one > other ? -1 : 1;
    return (keys[a] as number) - (keys[b] as number);
  });
  const served = Number(left);
  for (let i = 0; i < served; i++) {
    const index = order[i] as number;
    parts[index] = (parts[index] as bigint) + 1n;
  }
  return { parts, lastServed: order[served - 1] as number };
};
