import type { PageErrorCode } from '../../ts/page/errors.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const hash = (digits: string): string => digits.repeat(32);

/** The page of `exampleOutput`, part by part. */
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
/** That page, with some parts replaced. */
export const pageOf = (over: Partial<typeof parts> = {}): Uint8Array =>
  bytes(Object.values({ ...parts, ...over }).join(''));

/** Pages that everybody refuses, each for one reason. */
export const badPages: [what: string, page: Uint8Array, code: PageErrorCode][] = [
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
