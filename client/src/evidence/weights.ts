import { log2 } from './fixed.ts';
import { referenceWordsJson } from './generated/referenceWords.ts';

let counts: ReadonlyMap<string, number> | undefined;

/** Occurrences of a word in 2^20 words of ordinary English. */
const referenceCount = (word: string): number => {
  counts ??= new Map(Object.entries((JSON.parse(referenceWordsJson) as { counts: Record<string, number> }).counts));
  return counts.get(word) ?? 0;
};

const known = new Map<number, number>();

/**
 * Bits that one occurrence of a word carries, in 16.16 fixed point; `earlier` counts it in the contributions registered
 * before. Ten bits are the surprise of a word that makes up a thousandth of the text.
 */
export const weightOf = (word: string, earlier: number): number => {
  const count = referenceCount(word) + earlier + 1;
  if (count >= 1024) return 0;
  const weight = known.get(count) ?? 10 * 65536 - log2(BigInt(count));
  known.set(count, weight);
  return weight;
};
