import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { priorRoot, recomputeRetrieval, weightByInfluence } from '../src/index.ts';

type Row = [string, number];
type Case = {
  name: string;
  contributions: { id: string; order: number; text: string }[];
  query: string;
  top_k: number;
  max_words: number | null;
  root: string;
  passages: { contribution_id: string; chunk: number; start: number; end: number; text: string; score: number }[];
  rows: Row[];
};

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../gpu-runner/engine/vectors/${name}.json`, import.meta.url), 'utf8'));
const { retrieval } = read('retrieval-0') as { retrieval: Case[] };
const { weighted } = read('influence-0') as {
  weighted: { rows: Row[]; prior: Row[]; prior_root: string; lambda_bps: number; weighted: Row[] }[];
};

describe('retrieval-0 in TypeScript', () => {
  it.each(retrieval)('agrees with the vector: $name', (one) => {
    const limit = one.max_words === null ? {} : { maxWords: one.max_words };
    const found = recomputeRetrieval({ files: one.contributions, query: one.query, topK: one.top_k, ...limit });
    expect(found.root).toBe(one.root);
    expect(
      found.passages.map(({ contributionId, score, ...rest }) => {
        return { contribution_id: contributionId, score: Number(score), ...rest };
      }),
    ).toEqual(one.passages);
    expect(found.rows.map(({ contributionId, weight }) => [contributionId, Number(weight)])).toEqual(one.rows);
  });

  it('refuses a number of passages out of range', () => {
    for (const topK of [0, 17, 1.5]) {
      expect(() => recomputeRetrieval({ files: [], query: 'x', topK })).toThrow(RangeError);
    }
  });
});

describe('influence-0 in TypeScript', () => {
  it.each(weighted)('agrees with the vector: lambda $lambda_bps of $rows', (one) => {
    const prior = new Map(one.prior);
    const rows = one.rows.map(([contributionId, weight]) => ({ contributionId, weight: BigInt(weight) }));
    expect(priorRoot(prior)).toBe(one.prior_root);
    const found = weightByInfluence(rows, prior, one.lambda_bps);
    expect(found.map(({ contributionId, weight }) => [contributionId, Number(weight)])).toEqual(one.weighted);
  });

  it('refuses weights and a lambda out of range', () => {
    expect(() => weightByInfluence([], new Map([['1', 65536]]), 0)).toThrow(RangeError);
    expect(() => weightByInfluence([], new Map(), 10_001)).toThrow(RangeError);
    expect(() => priorRoot(new Map([['1', -1]]))).toThrow(RangeError);
  });
});
