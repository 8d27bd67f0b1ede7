import { type BatchOutput, encodePages, sharesOf } from '@openledger/contracts';
import { bytesToHex, keccak256, toHex } from 'viem';

export type Shape = {
  /** Attributions of an output, from..to, every number as often. */
  readonly rows: readonly [from: number, to: number];
  /** Contributions that outputs are attributed to, the k-th with probability proportional to 1/k (Zipf), or all alike. */
  readonly contributions: number;
  readonly zipf: boolean;
};

/** 4 to 16 attributions an output, ten on average, over 10,000 contributions of which few are asked for often. */
export const usual: Shape = { rows: [4, 16], contributions: 10_000, zipf: true };

export type MadeBatch = { readonly pages: readonly Uint8Array[]; readonly outputs: number; readonly events: number };

/** A generator of numbers below 1 that a seed decides (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Outputs with about `events` attributions in all, as a runner would have served them on a few channels. */
export const makeBatch = (seed: number, events: number, shape: Shape): MadeBatch => {
  const random = randomFrom(seed);
  const pick = contributionPicker(random, shape);
  const outputs: BatchOutput[] = [];
  let made = 0;
  while (made < events) {
    const output = makeOutput(seed, outputs.length, random, pick, shape);
    outputs.push(output);
    made += output.rows.length;
  }
  return { pages: encodePages(outputs), outputs: outputs.length, events: made };
};

const makeOutput = (
  seed: number,
  index: number,
  random: () => number,
  pick: () => number,
  { rows: [from, to] }: Shape,
): BatchOutput => {
  const below = (limit: number) => Math.floor(random() * limit);
  const count = from + below(to - from + 1);
  const named = new Set<number>();
  while (named.size < count) named.add(pick());
  const promptTokens = 20 + below(2_000);
  const outputTokens = 20 + below(1_000);
  return {
    modelId: BigInt(1 + below(40)),
    sourceKind: 2,
    sourceId: BigInt(1 + below(20)),
    method: 2,
    nonce: BigInt(seed * 10_000 + index),
    promptHash: keccak256(toHex(`prompt ${seed} ${index}`)),
    outputHash: keccak256(toHex(`output ${seed} ${index}`)),
    promptTokens,
    outputTokens,
    // Prices of the walkthrough: 0.1 and 0.5 OPEN for 1,000 tokens.
    feeWeight: BigInt(promptTokens) * 10n ** 14n + BigInt(outputTokens) * 5n * 10n ** 14n,
    rows: sharesOf(
      [...named]
        .sort((a, b) => a - b)
        // Scores of evidence-0: four to a hundred rare words of some bits each, in 1/65,536 of a bit.
        .map((contributionId) => ({
          contributionId: BigInt(contributionId),
          weight: BigInt(Math.floor(65_536 * 6 * 4 * 25 ** random())),
        })),
    ),
  };
};

const contributionPicker = (random: () => number, { contributions, zipf }: Shape): (() => number) => {
  if (!zipf) return () => 1 + Math.floor(random() * contributions);
  const sums = new Float64Array(contributions);
  for (let k = 0, sum = 0; k < contributions; k++) {
    sum += 1 / (k + 1);
    sums[k] = sum;
  }
  const total = sums.at(-1) ?? 1;
  return () => {
    const wanted = random() * total;
    let [low, high] = [0, contributions - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
};

export const bytesOf = (pages: readonly Uint8Array[]): number => pages.reduce((sum, page) => sum + page.length, 0);
export const hexesOf = (pages: readonly Uint8Array[]) => pages.map((page) => bytesToHex(page));
