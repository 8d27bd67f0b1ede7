import { type Contribution, type ContributionText, EarlierWords, readCorpus, rootOf } from './corpus.ts';
import { chunkScore, chunksOf } from './nearness.ts';
import { rarityOf, supportedBy } from './owners.ts';
import { type EvidenceRow, rowsOf } from './rows.ts';
import { SuffixAutomaton } from './suffixAutomaton.ts';
import { weightOf } from './weights.ts';
import { splitWords, type Word } from './words.ts';

/** A cited passage: bytes [start, end) of the contribution's UTF-8, score in 16.16 bits. */
export type Passage = {
  readonly contributionId: string;
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly score: bigint;
};

export type Retrieval = {
  readonly method: 'retrieval-0';
  readonly root: string;
  readonly passages: readonly Passage[];
  readonly rows: readonly EvidenceRow[];
};

type Chunk = { contribution: Contribution; number: number; words: readonly string[]; upper: number };

/**
 * retrieval-0 (docs/spec/retrieval-0.md), from nothing but the texts: the passages that a prompt is answered from, best first,
 * and whom they are paid to.
 *
 * @throws RangeError when an id, an order or a text is none, or topK is not 1 to 16
 */
export const recomputeRetrieval = (input: {
  files: readonly ContributionText[];
  query: string;
  topK: number;
  maxWords?: number;
}): Retrieval => {
  if (!(Number.isInteger(input.topK) && input.topK >= 1 && input.topK <= 16))
    throw new RangeError(`topK ${input.topK}`);
  const corpus = readCorpus(input.files);
  const asked = new Set(splitWords(input.query).map((word) => word.text));
  const earlier = new EarlierWords(corpus, asked);
  const ranked = best(corpus, asked, earlier, input.topK);
  const places = new Map<string, Word[]>();
  const texts = new Map(input.files.map(({ id, text }) => [id, text]));
  const passages: Passage[] = [];
  let words = 0;
  for (const { contribution, number, score, length } of ranked) {
    words += length;
    if (words > (input.maxWords ?? Number.POSITIVE_INFINITY)) break;
    const text = texts.get(contribution.id) ?? '';
    const cut = places.get(contribution.id) ?? splitWords(text);
    places.set(contribution.id, cut);
    const [start, end] = [cut[number * 128]?.start ?? 0, cut[number * 128 + length - 1]?.end ?? 0];
    const bytes = new TextEncoder().encode(text).subarray(start, end);
    passages.push({
      contributionId: contribution.id,
      chunk: number,
      start,
      end,
      text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
      score,
    });
  }
  const scores = new Map<string, bigint>();
  for (const { contributionId, score } of passages)
    scores.set(contributionId, (scores.get(contributionId) ?? 0n) + score);
  const rows = rowsOf([...scores].map(([id, score]) => ({ id, score })));
  return { method: 'retrieval-0', root: rootOf(corpus), passages, rows };
};

const best = (corpus: readonly Contribution[], asked: ReadonlySet<string>, earlier: EarlierWords, count: number) => {
  const weighed = (order: number) =>
    new Map([...asked].map((word) => [word, weightOf(word, earlier.before(word, order))]));
  const chunks: Chunk[] = corpus.flatMap((contribution) => {
    const weights = weighed(contribution.order);
    return chunksOf(contribution.words).map((words, number) => {
      return { contribution, number, words, upper: chunkScore(words, weights, words.length) };
    });
  });
  // Sorting is stable: among equals the chunk that was registered first stays first.
  const candidates = chunks.filter(({ upper }) => upper > 0).sort((a, b) => b.upper - a.upper);
  let kept: { chunk: Chunk; score: number; place: number }[] = [];
  for (const chunk of candidates) {
    const worst = kept[count - 1];
    // A bound that only equals the worst kept score can still win by having been registered earlier.
    if (worst && chunk.upper < worst.score) break;
    const own = ownWords(corpus, chunk);
    const score = chunkScore(own, weighed(chunk.contribution.order), chunk.words.length);
    if (score > 0) kept.push({ chunk, score, place: chunks.indexOf(chunk) });
    kept = kept.sort((a, b) => b.score - a.score || a.place - b.place).slice(0, count);
  }
  return kept.map(({ chunk: { contribution, number, words }, score }) => {
    return { contribution, number, length: words.length, score: BigInt(score) };
  });
};

/** The chunk's words that no contribution registered before holds in a rare row of words: a copy has none. */
const ownWords = (corpus: readonly Contribution[], { contribution, words }: Chunk): string[] => {
  const automaton = new SuffixAutomaton(words);
  const isRare = rarityOf(words);
  const foreign = new Set<number>();
  for (const other of corpus) {
    if (other.order >= contribution.order) break;
    for (const place of supportedBy(automaton, other.words, isRare)) foreign.add(place);
  }
  return words.filter((_, place) => !foreign.has(place));
};
