import fc from 'fast-check';
import { bytesToHex, encodeAbiParameters, type Hex, keccak256 } from 'viem';
import { describe, expect, it } from 'vitest';
import { badPages, pageOf } from '../../test/support/badPages.ts';
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

  it.each(badPages)('is refused with %s', (_what, page, code) => {
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
    const { modelId, sourceKind, sourceId, promptHash, outputHash, nonce } = exampleOutput;
    const types = ['uint256', 'uint8', 'uint256', 'bytes32', 'bytes32', 'uint256'].map((type) => ({ type }));
    const encoded = encodeAbiParameters(types, [modelId, sourceKind, sourceId, promptHash, outputHash, nonce]);
    expect(outputIdOf(exampleOutput)).toBe(keccak256(encoded));
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
