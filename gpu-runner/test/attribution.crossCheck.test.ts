import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recomputeAttribution, recomputeRetrieval } from '@openledger/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineProcess } from '../src/engine/engineProcess.ts';
import { type AttributionCase, attributionCase, isReadable } from './support/attributionCases.ts';
import { startRealEngine } from './support/realEngine.ts';

type Recorded = {
  root: string;
  rows: { contribution_id: string; weight: number }[];
  spans: { contribution_id: string; output_start: number; output_end: number; score: number }[];
};

type Retrieved = {
  root: string;
  passages: { contribution_id: string; chunk: number; start: number; end: number; text: string; score: number }[];
  rows: { contribution_id: string; weight: number }[];
};

/** Two implementations, one specification: TypeScript in the client, Python in the engine. */
describe('attribution in TypeScript and in the engine', () => {
  let engine: EngineProcess;
  let folder: string;
  let cases = 0;
  beforeAll(async () => {
    engine = await startRealEngine();
    folder = mkdtempSync(join(tmpdir(), 'attribution-'));
  }, 15 * 60_000);
  afterAll(async () => {
    await engine?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const indexed = async ({ files }: AttributionCase): Promise<string> => {
    const index = join(folder, `${cases++}`);
    const listed = files.map(({ id, order, text }) => {
      const path = join(folder, `${cases}-${id}.txt`);
      writeFileSync(path, text);
      return { contribution_id: id, path, format: 'txt', order };
    });
    await engine.request('index_corpus', { index, files: listed });
    return index;
  };

  it('agrees on evidence-0, bit for bit', async () => {
    let withRows = 0;
    await fc.assert(
      fc.asyncProperty(
        attributionCase.filter(({ files }) => files.every(isReadable)),
        async (one) => {
          const texts = { prompt_text: one.prompt, output_text: one.output };
          const recorded = await engine.request<Recorded>('attribute', { index: await indexed(one), ...texts });
          const found = recomputeAttribution(one);
          expect(found.root).toBe(recorded.root);
          expect(found.rows.map(({ contributionId, weight }) => [contributionId, Number(weight)])).toEqual(
            recorded.rows.map((row) => [row.contribution_id, row.weight]),
          );
          expect(found.spans.map((s) => [s.contributionId, s.outputStart, s.outputEnd, Number(s.score)])).toEqual(
            recorded.spans.map((s) => [s.contribution_id, s.output_start, s.output_end, s.score]),
          );
          withRows += Number(found.rows.length > 0);
        },
      ),
      { numRuns: 250 },
    );
    expect(withRows).toBeGreaterThan(50);
  }, 120_000);

  it('agrees on retrieval-0, bit for bit', async () => {
    let withPassages = 0;
    await fc.assert(
      fc.asyncProperty(
        attributionCase.filter(({ files }) => files.every(isReadable)),
        fc.integer({ min: 1, max: 16 }),
        fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
        async (one, topK, maxWords) => {
          const limit = maxWords === undefined ? {} : { max_words: maxWords };
          const request = { index: await indexed(one), query_text: one.output, top_k: topK, ...limit };
          const recorded = await engine.request<Retrieved>('retrieve', request);
          const wanted = maxWords === undefined ? {} : { maxWords };
          const found = recomputeRetrieval({ files: one.files, query: one.output, topK, ...wanted });
          expect(found.root).toBe(recorded.root);
          expect(
            found.passages.map(({ contributionId, score, ...rest }) => {
              return { contribution_id: contributionId, score: Number(score), ...rest };
            }),
          ).toEqual(recorded.passages);
          expect(found.rows.map(({ contributionId, weight }) => [contributionId, Number(weight)])).toEqual(
            recorded.rows.map((row) => [row.contribution_id, row.weight]),
          );
          withPassages += Number(found.passages.length > 1);
        },
      ),
      { numRuns: 200 },
    );
    expect(withPassages).toBeGreaterThan(50);
  }, 120_000);
});
