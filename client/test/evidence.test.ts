import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { log2, shareOut } from '../src/evidence/fixed.ts';
import { referenceWordsJson } from '../src/evidence/generated/referenceWords.ts';
import { SuffixAutomaton } from '../src/evidence/suffixAutomaton.ts';
import { weightOf } from '../src/evidence/weights.ts';
import { splitWords } from '../src/evidence/words.ts';
import { recomputeAttribution, textOfFile } from '../src/index.ts';

type Vectors = {
  reference_words_sha256: string;
  log2: { value: number; log2: number }[];
  share_out: { total: number; scores: number[]; parts: number[] }[];
  words: { text: string; words: { text: string; start: number; end: number }[] }[];
  weights: { word: string; earlier: number; weight: number }[];
  attribution: {
    name: string;
    contributions: { id: string; order: number; text: string }[];
    prompt: string;
    output: string;
    root: string;
    rows: { contribution_id: string; weight: number }[];
    spans: { contribution_id: string; start: number; end: number; score: number }[];
  }[];
};

const folder = new URL('../src/evidence/', import.meta.url);
const engine = new URL('../../gpu-runner/engine/', import.meta.url);
const vectors = JSON.parse(readFileSync(new URL('vectors/evidence-0.json', engine), 'utf8')) as Vectors;

describe('evidence-0 in TypeScript', () => {
  it('has the reference words of the engine, byte for byte', () => {
    const table = readFileSync(new URL('openledger_engine/evidence/reference-words.json', engine), 'utf8');
    expect(referenceWordsJson).toBe(table);
    expect(createHash('sha256').update(referenceWordsJson).digest('hex')).toBe(vectors.reference_words_sha256);
  });

  it('agrees with the vectors of each step', () => {
    for (const { value, log2: expected } of vectors.log2) expect(log2(BigInt(value))).toBe(expected);
    for (const { total, scores, parts } of vectors.share_out) {
      expect(shareOut(BigInt(total), scores.map(BigInt)).map(Number)).toEqual(parts);
    }
    for (const { text, words } of vectors.words) expect(splitWords(text)).toEqual(words);
    for (const { word, earlier, weight } of vectors.weights) expect(weightOf(word, earlier)).toBe(weight);
  });

  it.each(vectors.attribution)(
    'agrees with the vector: $name',
    ({ contributions, prompt, output, root, rows, spans }) => {
      const found = recomputeAttribution({ files: contributions, prompt, output });
      expect(found.root).toBe(root);
      expect(found.rows).toEqual(rows.map((r) => ({ contributionId: r.contribution_id, weight: BigInt(r.weight) })));
      expect(found.spans).toEqual(
        spans.map((s) => ({
          contributionId: s.contribution_id,
          outputStart: s.start,
          outputEnd: s.end,
          score: BigInt(s.score),
        })),
      );
    },
  );

  it('refuses what has no meaning', () => {
    const input = { prompt: '', output: 'x' };
    const files = (...ids: string[]) => ids.map((id) => ({ id, text: 'y' }));
    expect(() => recomputeAttribution({ ...input, files: files('1', '1') })).toThrow(RangeError);
    expect(() => recomputeAttribution({ ...input, files: files('1\n') })).toThrow(RangeError);
    expect(() => recomputeAttribution({ ...input, files: [{ id: '1', text: 'y', order: -1 }] })).toThrow(RangeError);
    expect(() => recomputeAttribution({ files: [], prompt: '', output: 'a\ud800b' })).toThrow(RangeError);
  });

  it('reads a file as the engine does', () => {
    expect(textOfFile(Buffer.from('\ufeffa\r\nb\rc\n'))).toBe('a\nb\nc\n');
    expect(() => textOfFile(Uint8Array.of(0xff))).toThrow(TypeError);
  });

  it('needs nothing of Node', () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.ts'))) {
      const imports = [...readFileSync(new URL(name, folder), 'utf8').matchAll(/from '(.*)'/g)].map(
        (match) => match[1],
      );
      for (const path of imports) expect(path).toMatch(/^(viem|\.\/.*)$/);
    }
  });
});

describe('SuffixAutomaton', () => {
  it('tells the longest row that ends at each word, as a search by hand does', () => {
    let state = 7;
    const random = (below: number) => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    const words = (count: number) => Array.from({ length: count }, () => 'ab'[random(2)] ?? 'a');
    for (let round = 0; round < 200; round++) {
      const [output, text] = [words(random(12)), words(random(20))];
      const held = (row: string[]) => text.some((_, i) => row.every((word, j) => text[i + j] === word));
      const expected = output.map((_, end) => {
        let length = 0;
        while (length <= end && held(output.slice(end - length, end + 1))) length++;
        return length;
      });
      expect([...new SuffixAutomaton(output).matchLengths(text)]).toEqual(expected);
    }
  });
});
