import type { Contribution } from './corpus.ts';
import { SuffixAutomaton } from './suffixAutomaton.ts';
import { weightOf } from './weights.ts';

const MIN_WORDS = 4;
const MIN_BITS = 16 * 65536;

export type Rarity = (start: number, end: number) => boolean;

/** Whether words [start, end) of an output are rare enough to be evidence, by a measure that no datanet can shift. */
export const rarityOf = (words: readonly string[]): Rarity => {
  const sums = [0];
  for (const word of words) sums.push((sums.at(-1) ?? 0) + weightOf(word, 0));
  return (start, end) => end - start >= MIN_WORDS && (sums[end] ?? 0) - (sums[start] ?? 0) >= MIN_BITS;
};

/** The words of the output that lie in a rare row of words which the text holds. */
export const supportedBy = (
  automaton: SuffixAutomaton,
  text: readonly string[],
  isRare: Rarity,
): ReadonlySet<number> => {
  const places = new Set<number>();
  // Ends from last to first: a row that another one covers adds nothing.
  let covered = Number.POSITIVE_INFINITY;
  for (const [place, length] of [...automaton.matchLengths(text).entries()].reverse()) {
    const start = place + 1 - length;
    if (!isRare(start, place + 1)) continue;
    for (let i = Math.min(place, covered - 1); i >= start; i--) places.add(i);
    covered = Math.min(covered, start);
  }
  return places;
};

/**
 * For each word of the output the contributions that own it (places in the corpus, ascending): of those that support it
 * the ones registered first. A word that the prompt quotes has no owner.
 */
export const ownersOf = (
  corpus: readonly Contribution[],
  words: readonly string[],
  prompt: readonly string[],
  isRare: Rarity,
): number[][] => {
  const automaton = new SuffixAutomaton(words);
  const quoted = supportedBy(automaton, prompt, isRare);
  const owners: number[][] = words.map(() => []);
  for (const [place, contribution] of corpus.entries()) {
    for (const word of supportedBy(automaton, contribution.words, isRare)) {
      const first = owners[word]?.[0];
      const taken = first !== undefined && corpus[first]?.order !== contribution.order;
      if (!taken && !quoted.has(word)) owners[word]?.push(place);
    }
  }
  return owners;
};
