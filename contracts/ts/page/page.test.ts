import fc from 'fast-check';
import { bytesToHex, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { arbitraryOutputs, exampleOutput } from '../../test/support/pages.ts';
import { outputIdOf, outputsOf } from './batchOutput.ts';
import { ByteWriter } from './bytes.ts';
import { decodePage } from './decodePage.ts';
import { encodePages } from './encodePages.ts';
import { PageDecodeError, PageEncodeError, type PageErrorCode } from './errors.ts';

const codeOf = (page: Uint8Array): PageErrorCode | 'accepted' => {
  try {
    decodePage(page);
    return 'accepted';
  } catch (error) {
    // Anything else thrown would be a reader that crashes on bytes somebody chose.
    if (!(error instanceof PageDecodeError)) throw error;
    return error.code;
  }
};
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const hash = (digits: string): string => digits.repeat(32);

/** The example page, part by part, with some parts replaced. */
const parts = {
  version: '01',
  compression: '00',
  size: '01',
  models: '01 05',
  sources: '01 02 07',
  contributions: '02 0a 02',
  feeUnit: '64',
  source: '00',
  fee: '01',
  rowCount: '02',
  model: '00',
  method: '02',
  nonce: 'ac 02',
  promptTokens: '0b',
  outputTokens: '16',
  promptHash: hash('aa'),
  outputHash: hash('bb'),
  contribution: '00 00',
  weight: '09 80 01',
};
const pageOf = (over: Partial<typeof parts> = {}): Uint8Array => bytes(Object.values({ ...parts, ...over }).join(''));

describe('a page', () => {
  it('is written byte for byte as the spec says', () => {
    expect(encodePages([exampleOutput])).toEqual([pageOf()]);
    expect(outputsOf(decodePage(pageOf()))).toEqual([exampleOutput]);
  });

  it('gives back what was written, in any grouping, compressed or not', () => {
    const check = fc.property(
      arbitraryOutputs,
      fc.constantFrom(1, 300, 4_096),
      fc.boolean(),
      (outputs, targetBytes, compress) => {
        const pages = encodePages(outputs, { targetBytes, compress });
        expect(pages.map(decodePage).flatMap(outputsOf)).toEqual(outputs);
      },
    );
    fc.assert(check, { numRuns: 300 });
  });

  it('has one form for one content: whatever decodes is what the encoder would write', () => {
    const check = fc.property(mutatedPage, (page) => {
      if (codeOf(page) !== 'accepted' || page[1] === 1) return;
      expect(encodePages(outputsOf(decodePage(page)), { targetBytes: 1e9 })).toEqual([page]);
    });
    fc.assert(check, { numRuns: 3_000 });
  });

  it('is refused with a code, whatever the bytes are', () => {
    const anything = fc.oneof(fc.uint8Array({ maxLength: 200 }), mutatedPage, compressedNoise);
    fc.assert(
      fc.property(anything, (page) => {
        codeOf(page);
      }),
      { numRuns: 5_000 },
    );
  });

  const refused: [what: string, page: Uint8Array, code: PageErrorCode][] = [
    ['no bytes', bytes(''), 'TRUNCATED'],
    ['a later version', pageOf({ version: '02' }), 'UNKNOWN_VERSION'],
    ['an unknown compression', pageOf({ compression: '02' }), 'BAD_COMPRESSION'],
    ['no outputs', pageOf({ size: '00' }), 'OUTPUT_COUNT'],
    ['too many outputs', pageOf({ size: '81 08' }), 'OUTPUT_COUNT'],
    ['a needless byte', pageOf({ nonce: 'ac 82 00' }), 'NOT_MINIMAL'],
    ['a number over 2^53 - 1', pageOf({ nonce: 'ff ff ff ff ff ff ff 10' }), 'OUT_OF_RANGE'],
    ['a number without end', pageOf({ nonce: 'ff ff ff ff ff ff ff ff ff' }), 'OUT_OF_RANGE'],
    ['an id over 2^53 - 1', pageOf({ contributions: '02 ff ff ff ff ff ff ff 0f 00' }), 'OUT_OF_RANGE'],
    ['more tokens than 32 bits', pageOf({ promptTokens: '80 80 80 80 10' }), 'OUT_OF_RANGE'],
    ['an unnamed model', pageOf({ models: '02 05 00' }), 'UNUSED_ENTRY'],
    ['an unnamed contribution', pageOf({ contributions: '03 0a 02 00' }), 'UNUSED_ENTRY'],
    ['a model beyond the dictionary', pageOf({ model: '01' }), 'BAD_INDEX'],
    ['a row beyond the dictionary', pageOf({ contribution: '00 01' }), 'BAD_INDEX'],
    ['sources out of order', pageOf({ size: '02', sources: '02 02 07 02 07' }), 'NOT_ASCENDING'],
    ['source kind 0', pageOf({ sources: '01 00 07' }), 'BAD_KIND'],
    ['source kind 4', pageOf({ sources: '01 04 07' }), 'BAD_KIND'],
    ['method 0', pageOf({ method: '00' }), 'BAD_METHOD'],
    ['method 256', pageOf({ method: '80 02' }), 'BAD_METHOD'],
    ['a fee unit that is no common divisor', pageOf({ feeUnit: '32', fee: '02' }), 'BAD_FEE_UNIT'],
    ['no fee with a unit', pageOf({ fee: '00' }), 'BAD_FEE_UNIT'],
    ['no fee unit', pageOf({ feeUnit: '00', fee: '01' }), 'BAD_FEE_UNIT'],
    ['more than 4,096 rows', pageOf({ rowCount: '81 20' }), 'ROW_COUNT'],
    ['no weight', pageOf({ weight: '09 00' }), 'ZERO_WEIGHT'],
    ['a byte too few', pageOf().subarray(0, -1), 'TRUNCATED'],
    ['a byte too many', pageOf({ weight: '09 80 01 00' }), 'TRAILING_BYTES'],
    ['a body over 64 KiB', new Uint8Array(65_539).fill(1).fill(0, 1, 2), 'TOO_LARGE'],
    ['a bomb', bytes('01 01 80 80 80 80 08 00'), 'TOO_LARGE'],
    ['a copy from before the start', bytes('01 01 05 00 aa 20 05'), 'BAD_COMPRESSION'],
    ['compressed bytes that make too little', bytes('01 01 05 00 aa'), 'BAD_COMPRESSION'],
    ['literals beyond the input', bytes('01 01 05 03 aa'), 'BAD_COMPRESSION'],
  ];
  it.each(refused)('is refused with %s', (_what, page, code) => {
    expect(codeOf(page)).toBe(code);
  });
  it('takes a fee weight of 2^128 - 1 and no more', () => {
    const largest = new ByteWriter().ubig(2n ** 128n - 1n).done();
    expect(codeOf(pageOf({ feeUnit: Buffer.from(largest).toString('hex') }))).toBe('accepted');
    const over = `${'80'.repeat(18)}04`;
    expect(codeOf(pageOf({ feeUnit: over }))).toBe('OUT_OF_RANGE');
    expect(codeOf(pageOf({ feeUnit: '02', fee: Buffer.from(largest).toString('hex') }))).toBe('BAD_FEE_UNIT');
  });

  it.each([
    ['no outputs', []],
    ['rows that don’t ascend', [{ ...exampleOutput, rows: [...exampleOutput.rows].reverse() }]],
    ['no weight', [{ ...exampleOutput, rows: [{ contributionId: 1n, weight: 0n }] }]],
    ['a large id', [{ ...exampleOutput, modelId: 2n ** 53n }]],
    ['half a hash', [{ ...exampleOutput, promptHash: '0xaa' as Hex }]],
  ])('is not written with %s', (_what, outputs) => {
    expect(() => encodePages(outputs)).toThrow(PageEncodeError);
  });

  it('names outputs by what identifies them', () => {
    const { nonce } = exampleOutput;
    expect(outputIdOf(exampleOutput)).not.toBe(outputIdOf({ ...exampleOutput, nonce: nonce + 1n }));
    expect(outputIdOf(exampleOutput)).toBe(outputIdOf({ ...exampleOutput, feeWeight: 5n } as typeof exampleOutput));
  });

  it('is shorter compressed where that is possible, else as it was', () => {
    const same = Array.from({ length: 30 }, (_, i) => ({ ...exampleOutput, nonce: BigInt(i) }));
    const [plain] = encodePages(same) as [Uint8Array];
    const [packed] = encodePages(same, { compress: true }) as [Uint8Array];
    expect(packed.length).toBeLessThan(plain.length / 5);
    expect(decodePage(packed)).toEqual(decodePage(plain));
    expect(bytesToHex(packed.subarray(0, 2))).toBe('0x0101');
  });
});

/** A valid page of random outputs with some bytes changed, cut or added: near misses find more than noise. */
const mutatedPage: fc.Arbitrary<Uint8Array> = fc
  .record({
    outputs: arbitraryOutputs,
    compress: fc.boolean(),
    edits: fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 3 }),
    cut: fc.option(fc.nat({ max: 20 }), { nil: 0, freq: 3 }),
  })
  .map(({ outputs, compress, edits, cut }) => {
    const [page] = encodePages(outputs, { targetBytes: 1e9, compress }) as [Uint8Array];
    for (const { at, byte } of edits) page[at % page.length] = byte;
    return page.subarray(0, page.length - cut);
  });

const compressedNoise: fc.Arbitrary<Uint8Array> = fc
  .record({ length: fc.nat({ max: 300 }), input: fc.uint8Array({ maxLength: 120 }) })
  .map(({ length, input }) => new ByteWriter().bytes(Uint8Array.of(1, 1)).uvarint(length).bytes(input).done());
