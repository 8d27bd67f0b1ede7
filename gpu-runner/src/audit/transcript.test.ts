import { type GenerationRecord, generationHash } from '@openledger/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaidRequest } from '../gateway/attribution.ts';
import { parseCompletion } from '../gateway/requests.ts';
import type { Generated } from '../serving/generator.ts';
import { samplingFields } from '../serving/samplingFields.ts';
import { parseAdapterFiles, parseTranscript, transcriptOf } from './transcript.ts';

const how = { sampler: 'openledger-0', numerics: 'cpu-float32', context_length: 512 };
const generated = { output_token_ids: [1, 2], finish_reason: 'stop' } as unknown as Generated;

const generationOf = (request: PaidRequest): GenerationRecord => ({
  prompt_sha256: 'ab'.repeat(32),
  ...how,
  ...samplingFields(request),
});

/** As it comes from the other runner: through JSON. */
const shownOf = (request: PaidRequest) =>
  JSON.parse(JSON.stringify(transcriptOf(request, generationOf(request), generated)));

const requests = fc
  .record({
    model: fc.constant('m'),
    prompt: fc.string({ maxLength: 40 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    top_p: fc.double({ min: 0.001, max: 1, noNaN: true }),
    top_k: fc.integer({ min: 0, max: 100 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    stop: fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 4 }),
    logit_bias: fc.dictionary(fc.stringMatching(/^\d{1,4}$/), fc.double({ min: -100, max: 100, noNaN: true })),
    retrieval: fc.oneof(
      fc.constant(undefined),
      fc.record({ top_k: fc.integer({ min: 1, max: 16 }) }),
      fc.record({ top_k: fc.constant(3), datanet_id: fc.constant('7'), datanet_version: fc.constant(2) }),
    ),
  })
  .map((body) => parseCompletion(JSON.parse(JSON.stringify(body))));

describe('a transcript', () => {
  it('says what was asked, whatever it was, and is bound by the hash on chain', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const parsed = parseTranscript(shownOf(request), generationHash(generationOf(request)));
        expect(parsed.request).toMatchObject({ ...request, model: 'audited' });
        expect(parsed.output_token_ids).toEqual([1, 2]);
      }),
      { numRuns: 200 },
    );
  });

  const request = parseCompletion({ model: 'm', prompt: 'Say', seed: 3 });
  const onChain = generationHash(generationOf(request));
  const refusal = (shown: unknown) => {
    try {
      parseTranscript(shown, onChain);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return 'taken';
  };

  it('of other settings than those on chain is refused, each of them', () => {
    const shown = shownOf(request);
    expect(refusal(shown)).toBe('taken');
    for (const name of Object.keys(shown.generation)) {
      const changed = { ...shown.generation, [name]: typeof shown.generation[name] === 'number' ? 0.25 : 'x' };
      expect(refusal({ ...shown, generation: changed }), name).toBe('TRANSCRIPT_INVALID');
    }
    expect(refusal({ ...shown, generation: { ...shown.generation, more: 1 } })).toBe('TRANSCRIPT_INVALID');
  });

  it('that is none is refused', () => {
    const shown = shownOf(request);
    for (const other of [null, 7, 'x', [], {}, { ...shown, generation: null }]) {
      expect(refusal(other)).toBe('TRANSCRIPT_INVALID');
    }
    const { prompt: _, ...silent } = shown;
    for (const changes of [
      { output_token_ids: 'no' },
      { output_token_ids: [1.5] },
      { output_token_ids: [-1] },
      { output_token_ids: Array(8_193).fill(1) },
      { finish_reason: 'tired' },
      { retrieval: { top_k: 99 } },
      { messages: [{ role: 'nobody', content: '' }] },
    ]) {
      expect(refusal({ ...shown, ...changes }), JSON.stringify(changes).slice(0, 60)).toBe('TRANSCRIPT_INVALID');
    }
    expect(refusal(silent)).toBe('TRANSCRIPT_INVALID');
  });
});

describe('the files of an adapter', () => {
  it('are three hashes', () => {
    const files = { weights: 'a'.repeat(64), config: 'b'.repeat(64), record: 'c'.repeat(64) };
    expect(parseAdapterFiles({ ...files, more: 1 })).toEqual(files);
    for (const wrong of [null, {}, { ...files, config: '../../etc/passwd' }, { ...files, record: 'A'.repeat(64) }]) {
      expect(() => parseAdapterFiles(wrong)).toThrow(expect.objectContaining({ code: 'TRANSCRIPT_INVALID' }));
    }
  });
});
