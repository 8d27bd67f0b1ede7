import { sha256, stringToBytes } from 'viem';
import { splitWords } from './words.ts';

/** A contribution's text, as extracted from its file: UTF-8 without byte order mark, CR LF and CR made LF. */
export type ContributionText = {
  readonly id: string;
  readonly text: string;
  /** When it was registered; equal means at once. Its place in the list when absent. */
  readonly order?: number;
};

export type Contribution = { readonly id: string; readonly order: number; readonly words: readonly string[] };

const sha256Hex = (text: string): string => sha256(stringToBytes(text)).slice(2);

/** By length in UTF-8, then by bytes: decimal ids as numbers. */
export const compareIds = (a: string, b: string): number => {
  const [one, other] = [stringToBytes(a), stringToBytes(b)];
  if (one.length !== other.length) return one.length - other.length;
  const place = one.findIndex((byte, i) => byte !== other[i]);
  return place < 0 ? 0 : (one[place] ?? 0) - (other[place] ?? 0);
};

/**
 * The contributions as words, first registered first.
 *
 * @throws RangeError for an id that is listed twice or holds a line feed, and for an order that is no whole number
 */
export const readCorpus = (texts: readonly ContributionText[]): Contribution[] => {
  const ids = new Set<string>();
  const contributions = texts.map(({ id, text, order }, place) => {
    if (ids.has(id) || id.includes('\n'))
      throw new RangeError(`contribution ${JSON.stringify(id)} is listed twice or has no usable id`);
    if (order !== undefined && !(Number.isSafeInteger(order) && order >= 0))
      throw new RangeError(`order ${order} of contribution ${id}`);
    ids.add(id);
    return { id, order: order ?? place, words: splitWords(text).map((word) => word.text) };
  });
  return contributions.sort((a, b) => a.order - b.order || compareIds(a.id, b.id));
};

/** What names a datanet version for this method. Hex without 0x. */
export const rootOf = (corpus: readonly Contribution[]): string => {
  const lines = corpus.map(({ id, order, words }) => `${order} ${words.length} ${sha256Hex(words.join('\n'))} ${id}\n`);
  return sha256Hex(`openledger evidence-0 index\n${lines.join('')}`);
};

/** Counts words in everything registered before an order. Only the words that are asked for are counted. */
export class EarlierWords {
  readonly #counts = new Map<string, { order: number; count: number }[]>();

  constructor(corpus: readonly Contribution[], asked: ReadonlySet<string>) {
    for (const { order, words } of corpus) {
      for (const word of words) if (asked.has(word)) this.#add(word, order);
    }
  }

  before(word: string, order: number): number {
    return (this.#counts.get(word) ?? []).reduce((sum, entry) => sum + (entry.order < order ? entry.count : 0), 0);
  }

  #add(word: string, order: number): void {
    const entries = this.#counts.get(word) ?? [];
    if (entries.length === 0) this.#counts.set(word, entries);
    const last = entries.at(-1);
    if (last?.order === order) last.count++;
    else entries.push({ order, count: 1 });
  }
}
