import fc from 'fast-check';
import { bytesToHex, type Hex, hexToBytes, maxUint256, numberToHex, toRlp, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import {
  BatchDecodeError,
  type BatchDecodeErrorCode,
  type BatchOutput,
  decodeBatch,
  encodeBatch,
  MAX_ROWS,
} from './attributionBatch.ts';

const MAX_UINT128 = 2n ** 128n - 1n;
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytesToHex(bytes));
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const uint256 = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: maxUint256 }));
const rows = fc
  .uniqueArray(fc.record({ contributionId: uint256, weight: fc.bigInt({ min: 1n, max: maxUint256 }) }), {
    selector: (row) => row.contributionId,
    maxLength: 6,
  })
  .map((all) => all.sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1)));
const output: fc.Arbitrary<BatchOutput> = fc.record({
  outputId: hash,
  modelId: uint256,
  sourceKind: fc.constantFrom(1 as const, 2 as const),
  sourceId: uint256,
  promptHash: hash,
  outputHash: hash,
  promptTokens: uint32,
  outputTokens: uint32,
  feeWeight: fc.bigInt({ min: 0n, max: MAX_UINT128 }),
  method: fc.constantFrom(1 as const, 2 as const),
  rows,
});
const outputs = fc.uniqueArray(output, { selector: (one) => one.outputId, minLength: 1, maxLength: 5 });

function code(run: () => unknown): BatchDecodeErrorCode | 'accepted' {
  try {
    run();
    return 'accepted';
  } catch (error) {
    // Anything else thrown would be a reader that crashes on bytes somebody chose.
    if (!(error instanceof BatchDecodeError)) throw error;
    return error.code;
  }
}

type Nested = Hex | Nested[];
/** viem's own type is not recursive. */
const rlp = (items: Nested) => toRlp(items as unknown as Hex[]);
const h = (byte: string): Hex => `0x${byte.repeat(32)}`;
/** One output as RLP fields, with some of them replaced. */
function fields(over: Record<number, Nested> = {}): Nested[] {
  const good: Nested[] = [
    h('01'),
    '0x05',
    '0x01',
    '0x07',
    h('02'),
    h('03'),
    '0x',
    '0x0a',
    '0x64',
    '0x01',
    [['0x01', '0x02']],
  ];
  return good.map((field, i) => over[i] ?? field);
}
const decodeItems = (items: Nested, count?: number) => code(() => decodeBatch(rlp(items), count));
const one: BatchOutput = {
  outputId: h('01'),
  modelId: 5n,
  sourceKind: 1,
  sourceId: 7n,
  promptHash: h('02'),
  outputHash: h('03'),
  promptTokens: 0,
  outputTokens: 10,
  feeWeight: 100n,
  method: 1,
  rows: [{ contributionId: 1n, weight: 2n }],
};

describe('the batch codec', () => {
  it('writes what the spec says, byte for byte', () => {
    expect(encodeBatch([one])).toBe(rlp([fields()]));
    expect(decodeBatch(encodeBatch([one]), 1)).toEqual([one]);
  });

  it('reads back everything it writes', () => {
    fc.assert(
      fc.property(outputs, (batch) => {
        const encoded = encodeBatch(batch);
        expect(decodeBatch(encoded, batch.length)).toEqual(batch);
        expect(decodeBatch(hexToBytes(encoded))).toEqual(batch);
      }),
    );
  });

  it('gives every content one form: a mutated batch is refused, or is the encoding of what it reads as', () => {
    const mutation = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'insert', 'append'),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(outputs, fc.array(mutation, { minLength: 1, maxLength: 3 }), (batch, mutations) => {
        let bytes = [...hexToBytes(encodeBatch(batch))];
        for (const { at, kind, byte } of mutations) {
          const i = at % bytes.length;
          if (kind === 'flip') bytes[i] = byte;
          if (kind === 'cut') bytes = bytes.filter((_, position) => position !== i);
          if (kind === 'insert') bytes.splice(i, 0, byte);
          if (kind === 'append') bytes.push(byte);
        }
        const mutated = Uint8Array.from(bytes);
        code(() => expect(encodeBatch(decodeBatch(mutated))).toBe(bytesToHex(mutated)));
      }),
      { numRuns: 2000 },
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void code(() => decodeBatch(bytes))),
      { numRuns: 2000 },
    );
    expect(code(() => decodeBatch(new Uint8Array(200_000).fill(0xc1)))).toBe('NOT_RLP');
    expect(code(() => decodeBatch('0x'))).toBe('NOT_RLP');
    expect(code(() => decodeBatch('0x0' as Hex))).toBe('NOT_RLP');
    expect(code(() => decodeBatch('0xzz' as Hex))).toBe('NOT_RLP');
  });
});

describe('decodeBatch refuses', () => {
  it('what is not canonical', () => {
    const good = encodeBatch([one]);
    expect(code(() => decodeBatch(`${good}00`))).toBe('NOT_RLP');
    // 0x05 may stand for itself only; 0x8105 is the long way to say it.
    const long = hexToBytes(good);
    expect([...long.slice(0, 4), long[37]]).toEqual([0xf8, long.length - 2, 0xf8, long.length - 4, 0x05]);
    const lengthened = Uint8Array.from([
      0xf8,
      long.length - 1,
      0xf8,
      long.length - 3,
      ...long.slice(4, 37),
      0x81,
      ...long.slice(37),
    ]);
    expect(code(() => decodeBatch(lengthened))).toBe('NOT_CANONICAL');
    expect(code(() => decodeBatch('0xf800'))).toBe('NOT_CANONICAL');
  });

  it('other shapes', () => {
    expect(decodeItems('0x')).toBe('BAD_SHAPE');
    expect(decodeItems('0x01')).toBe('BAD_SHAPE');
    expect(decodeItems(['0x01'])).toBe('BAD_SHAPE');
    expect(decodeItems([fields().slice(0, 10)])).toBe('BAD_SHAPE');
    expect(decodeItems([[...fields(), '0x']])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 1: [] })])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 10: '0x' })])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 10: ['0x01'] })])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 10: [['0x01']] })])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 10: [['0x01', '0x01', '0x01']] })])).toBe('BAD_SHAPE');
    expect(decodeItems([fields({ 10: [['0x01', []]] })])).toBe('BAD_SHAPE');
  });

  it('wrong lengths, integers and ranges', () => {
    for (const at of [0, 4, 5]) {
      expect(decodeItems([fields({ [at]: zeroHash.slice(0, -2) as Hex })])).toBe('BAD_LENGTH');
      expect(decodeItems([fields({ [at]: `${zeroHash}00` })])).toBe('BAD_LENGTH');
    }
    for (const at of [1, 2, 3, 6, 7, 8, 9]) {
      expect(decodeItems([fields({ [at]: '0x0001' })])).toBe('BAD_INTEGER');
      expect(decodeItems([fields({ [at]: '0x00' })])).toBe('BAD_INTEGER');
      expect(decodeItems([fields({ [at]: `0x01${'00'.repeat(32)}` })])).toBe('OUT_OF_RANGE');
    }
    expect(decodeItems([fields({ 2: '0x' })])).toBe('OUT_OF_RANGE');
    expect(decodeItems([fields({ 2: '0x03' })])).toBe('OUT_OF_RANGE');
    expect(decodeItems([fields({ 9: '0x' })])).toBe('OUT_OF_RANGE');
    expect(decodeItems([fields({ 9: '0x03' })])).toBe('OUT_OF_RANGE');
    for (const at of [6, 7]) {
      expect(decodeItems([fields({ [at]: '0xffffffff' })])).toBe('accepted');
      expect(decodeItems([fields({ [at]: '0x0100000000' })])).toBe('OUT_OF_RANGE');
    }
    expect(decodeItems([fields({ 8: numberToHex(MAX_UINT128) })])).toBe('accepted');
    expect(decodeItems([fields({ 8: numberToHex(MAX_UINT128 + 1n) })])).toBe('OUT_OF_RANGE');
    expect(decodeItems([fields({ 1: numberToHex(maxUint256), 3: numberToHex(maxUint256) })])).toBe('accepted');
  });

  it('wrong counts and repeated outputs', () => {
    expect(decodeItems([])).toBe('OUTPUT_COUNT');
    expect(decodeItems([fields()], 1)).toBe('accepted');
    expect(decodeItems([fields()], 2)).toBe('COUNT_MISMATCH');
    expect(decodeItems([fields()], 0)).toBe('COUNT_MISMATCH');
    expect(decodeItems([fields(), fields()])).toBe('DUPLICATE_OUTPUT');
    expect(decodeItems([fields(), fields({ 0: h('09') })])).toBe('accepted');
    const many = Array.from({ length: 10_001 }, (_, i) => fields({ 0: numberToHex(i, { size: 32 }) }));
    expect(decodeItems(many)).toBe('OUTPUT_COUNT');
    expect(decodeItems(many.slice(1))).toBe('accepted');
  });

  it('rows out of order, repeated, without weight or too many', () => {
    const withRows = (...given: Hex[][]) => decodeItems([fields({ 10: given })]);
    expect(withRows()).toBe('accepted');
    expect(withRows(['0x', '0x01'], ['0x01', '0x01'])).toBe('accepted');
    expect(withRows(['0x02', '0x01'], ['0x01', '0x01'])).toBe('ROW_ORDER');
    expect(withRows(['0x01', '0x01'], ['0x01', '0x01'])).toBe('ROW_ORDER');
    expect(withRows(['0x01', '0x'])).toBe('ZERO_WEIGHT');
    expect(withRows(['0x0001', '0x01'])).toBe('BAD_INTEGER');
    const many = Array.from({ length: MAX_ROWS + 1 }, (_, i): Hex[] => [numberToHex(i + 1), '0x01']);
    expect(withRows(...many)).not.toBe('accepted');
    expect(
      withRows(...many.slice(1).map((row) => row.map((hex): Hex => (hex.length % 2 ? `0x0${hex.slice(2)}` : hex)))),
    ).toBe('accepted');
  });
});

describe('encodeBatch refuses', () => {
  it('what every reader would refuse', () => {
    const refused = (...given: Partial<BatchOutput>[]) =>
      code(() => encodeBatch(given.map((over) => ({ ...one, ...over }))));
    expect(refused()).toBe('OUTPUT_COUNT');
    expect(refused({}, {})).toBe('DUPLICATE_OUTPUT');
    expect(refused({ outputId: h('ab') }, { outputId: h('AB') })).toBe('DUPLICATE_OUTPUT');
    expect(refused({ promptHash: '0x12' })).toBe('BAD_LENGTH');
    expect(refused({ modelId: -1n })).toBe('OUT_OF_RANGE');
    expect(refused({ promptTokens: 1.5 })).toBe('OUT_OF_RANGE');
    expect(refused({ feeWeight: MAX_UINT128 + 1n })).toBe('OUT_OF_RANGE');
    expect(refused({ rows: [{ contributionId: 1n, weight: 0n }] })).toBe('ZERO_WEIGHT');
    const rowsOf = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ contributionId: BigInt(i), weight: 1n }));
    expect(refused({ rows: rowsOf(MAX_ROWS) })).toBe('accepted');
    expect(refused({ rows: rowsOf(MAX_ROWS + 1) })).toBe('ROW_COUNT');
  });
});
