import type { Contribution } from './corpus.ts';

const CHUNK_WORDS = 128;

/** Weight of one occurrence of a word, as it was when the contribution was registered. */
export type Weigh = (word: string) => number;

/**
 * BM25 of a set of words against words of a chunk of this length, in integers: k1 = 1.2, b = 0.75, nominal length 128. All
 * products stay below 2^53, where the floor of a quotient is exact.
 */
export const chunkScore = (
  words: readonly string[],
  weighed: ReadonlyMap<string, number>,
  chunkLength: number,
): number => {
  const counts = new Map<string, number>();
  for (const word of words) if (weighed.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  let score = 0;
  for (const [word, count] of counts) {
    const weight = weighed.get(word) ?? 0;
    score += Math.floor((weight * count * 11264) / (5120 * count + 12 * (128 + 3 * chunkLength)));
  }
  return score;
};

/** A contribution's words, cut every 128. */
export const chunksOf = (words: readonly string[]): (readonly string[])[] =>
  Array.from({ length: Math.ceil(words.length / CHUNK_WORDS) }, (_, i) =>
    words.slice(i * CHUNK_WORDS, (i + 1) * CHUNK_WORDS),
  );

/** How near a set of distinct words is to the contribution's best chunk: 0 to 65536, of the most that BM25 can give. */
export const nearness = (contribution: Contribution, distinct: ReadonlySet<string>, weigh: Weigh): bigint => {
  const weighed = new Map([...distinct].map((word) => [word, weigh(word)]));
  const sum = [...weighed.values()].reduce((total, weight) => total + weight, 0);
  const ideal = (BigInt(sum) * 22n) / 10n;
  if (ideal === 0n) return 0n;
  const best = chunksOf(contribution.words).reduce(
    (most, chunk) => Math.max(most, chunkScore(chunk, weighed, chunk.length)),
    0,
  );
  return (BigInt(best) * 65536n) / ideal;
};
