import { type ContributionText, compareIds, EarlierWords, readCorpus, rootOf } from './corpus.ts';
import { nearness } from './nearness.ts';
import { ownersOf, rarityOf } from './owners.ts';
import { type EvidenceRow, rowsOf } from './rows.ts';
import { weightOf } from './weights.ts';
import { splitWords } from './words.ts';

/** A run of output words with the same owner: bytes [outputStart, outputEnd) of its UTF-8, score in 16.16 bits. */
export type EvidenceSpan = {
  readonly contributionId: string;
  readonly outputStart: number;
  readonly outputEnd: number;
  readonly score: bigint;
};

export type Attribution = {
  readonly method: 'evidence-0';
  readonly root: string;
  readonly rows: readonly EvidenceRow[];
  readonly spans: readonly EvidenceSpan[];
};

/**
 * evidence-0 (docs/spec/evidence-0.md), from nothing but the texts: which contributions an output rests on, and with what
 * weight each is paid. Equal, bit for bit, to what a runner recorded when it was honest. It takes texts: those of md and txt
 * files as `textOfFile` reads them, those of pdf and docx as the runner's extraction gives them.
 *
 * @throws RangeError when an id, an order or a text is none
 */
export const recomputeAttribution = (input: {
  files: readonly ContributionText[];
  prompt: string;
  output: string;
}): Attribution => {
  const corpus = readCorpus(input.files);
  const words = splitWords(input.output);
  const texts = words.map((word) => word.text);
  const distinct = new Set(texts);
  const earlier = new EarlierWords(corpus, distinct);
  const isRare = rarityOf(texts);
  const prompt = splitWords(input.prompt).map((word) => word.text);
  const owners = ownersOf(corpus, texts, prompt, isRare);

  const spans: EvidenceSpan[] = [];
  const scores = new Map<number, bigint>();
  for (const { start, end, owned } of runs(owners)) {
    if (owned.length === 0 || !isRare(start, end)) continue;
    for (const [place, owner] of owned.entries()) {
      const { id = '', order = 0 } = corpus[owner] ?? {};
      let score = 0;
      for (const word of texts.slice(start, end)) {
        const weight = weightOf(word, earlier.before(word, order));
        // What an equal split leaves over goes to the lowest ids, one each.
        score += Math.floor(weight / owned.length) + (place < weight % owned.length ? 1 : 0);
      }
      scores.set(owner, (scores.get(owner) ?? 0n) + BigInt(score));
      const [outputStart, outputEnd] = [words[start]?.start ?? 0, words[end - 1]?.end ?? 0];
      spans.push({ contributionId: id, outputStart, outputEnd, score: BigInt(score) });
    }
  }
  const combined = [...scores].flatMap(([owner, score]) => {
    const contribution = corpus[owner];
    if (!contribution) return [];
    const weigh = (word: string) => weightOf(word, earlier.before(word, contribution.order));
    return [{ id: contribution.id, score: (score * (65536n + nearness(contribution, distinct, weigh))) >> 16n }];
  });
  return { method: 'evidence-0', root: rootOf(corpus), rows: rowsOf(combined), spans: spans.sort(bySpan) };
};

const bySpan = (a: EvidenceSpan, b: EvidenceSpan) =>
  a.outputStart - b.outputStart || compareIds(a.contributionId, b.contributionId);

/** Maximal runs of words with the same owners. */
const runs = (owners: readonly (readonly number[])[]): { start: number; end: number; owned: readonly number[] }[] => {
  const found: { start: number; end: number; owned: readonly number[] }[] = [];
  for (const [place, owned] of owners.entries()) {
    const last = found.at(-1);
    if (last && last.owned.join() === owned.join()) last.end = place + 1;
    else found.push({ start: place, end: place + 1, owned });
  }
  return found;
};
