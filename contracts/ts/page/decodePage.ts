import { ByteReader } from './bytes.ts';
import { PageDecodeError } from './errors.ts';
import { fastLzDecompress } from './fastLz.ts';
import { type AttributionPage, greatestCommonDivisor, limits, PAGE_VERSION } from './page.ts';

/**
 * Reads a page of format 1 strictly (docs/spec/attribution-batch.md).
 *
 * @throws PageDecodeError and nothing else, whatever the bytes are
 */
export const decodePage = (page: Uint8Array): AttributionPage => decodeBody(readBody(page));

/** The body of a page, decompressed. */
const readBody = (page: Uint8Array): Uint8Array => {
  const reader = new ByteReader(page);
  if (reader.byte() !== PAGE_VERSION) throw new PageDecodeError('UNKNOWN_VERSION', `version ${page[0]}`);
  const compression = reader.byte();
  if (compression > 1) throw new PageDecodeError('BAD_COMPRESSION', `compression ${compression}`);
  const length = compression === 1 ? reader.uvarint() : reader.rest;
  if (length > limits.bodyBytes) throw new PageDecodeError('TOO_LARGE', `a body of ${length} bytes`);
  const rest = reader.take(reader.rest);
  return compression === 1 ? fastLzDecompress(rest, length) : rest;
};

const decodeBody = (body: Uint8Array): AttributionPage => {
  const reader = new ByteReader(body);
  const size = reader.uvarint();
  if (size === 0 || size > limits.outputs) throw new PageDecodeError('OUTPUT_COUNT', `${size} outputs`);
  const models = new Dictionary(readIds(reader, size));
  const { kinds, ids } = readSources(reader, size);
  const sources = new Dictionary(ids);
  const contributions = new Dictionary(readIds(reader, limits.rows));
  const feeUnit = reader.ubig();
  const column = <T>(read: () => T): T[] => Array.from({ length: size }, read);
  const sourceIndexes = column(() => sources.index(reader.uvarint()));
  const feeWeights = readFees(reader, size, feeUnit);
  const rowOffsets = readRowOffsets(reader, size);
  const modelIds = column(() => models.at(reader.uvarint()));
  const methods = column(() => readMethod(reader));
  const nonces = column(() => reader.uvarint());
  const promptTokens = column(() => reader.uvarint(limits.tokens));
  const outputTokens = column(() => reader.uvarint(limits.tokens));
  const promptHashes = reader.take(32 * size);
  const outputHashes = reader.take(32 * size);
  const contributionIds = readContributions(reader, rowOffsets, contributions);
  const weights = readWeights(reader, contributionIds.length);
  if (reader.rest > 0) throw new PageDecodeError('TRAILING_BYTES', `${reader.rest} bytes after the last weight`);
  for (const dictionary of [models, sources, contributions]) dictionary.checkUsed();
  return {
    size,
    modelIds,
    sourceKinds: sourceIndexes.map((index) => kinds[index] ?? 0),
    sourceIds: sourceIndexes.map((index) => ids[index] ?? 0),
    methods,
    nonces,
    promptTokens,
    outputTokens,
    feeWeights,
    promptHashes,
    outputHashes,
    rowOffsets,
    contributionIds,
    weights,
  };
};

/** Ascending values that columns name by index; each must be named. */
class Dictionary {
  readonly #values: readonly number[];
  readonly #used: Uint8Array;

  constructor(values: readonly number[]) {
    this.#values = values;
    this.#used = new Uint8Array(values.length);
  }

  index(index: number): number {
    if (index >= this.#values.length) throw new PageDecodeError('BAD_INDEX', `no entry ${index}`);
    this.#used[index] = 1;
    return index;
  }

  at(index: number): number {
    return this.#values[this.index(index)] as number;
  }

  checkUsed(): void {
    const unused = this.#used.indexOf(0);
    if (unused >= 0) throw new PageDecodeError('UNUSED_ENTRY', `nobody names ${this.#values[unused]}`);
  }
}

const readIds = (reader: ByteReader, max: number): number[] => {
  const count = reader.uvarint();
  // More entries than there could be users; without this a few bytes could ask for much memory.
  if (count > max) throw new PageDecodeError('UNUSED_ENTRY', `${count} entries`);
  if (count > reader.rest) throw new PageDecodeError('TRUNCATED', `${count} entries, ${reader.rest} bytes left`);
  const ids: number[] = [];
  for (let previous = -1, i = 0; i < count; i++) {
    previous = ascend(previous, reader.uvarint());
    ids.push(previous);
  }
  return ids;
};

/** The value after `previous` whose difference less one is `step`. */
const ascend = (previous: number, step: number): number => {
  const next = previous + 1 + step;
  if (next > Number.MAX_SAFE_INTEGER) throw new PageDecodeError('OUT_OF_RANGE', 'an id is over 2^53 - 1');
  return next;
};

const readSources = (reader: ByteReader, max: number): { kinds: number[]; ids: number[] } => {
  const count = reader.uvarint();
  if (count > max) throw new PageDecodeError('UNUSED_ENTRY', `${count} sources`);
  const kinds: number[] = [];
  const ids: number[] = [];
  for (let i = 0; i < count; i++) {
    const kind = reader.uvarint();
    if (kind < 1 || kind > limits.sourceKinds) throw new PageDecodeError('BAD_KIND', `source kind ${kind}`);
    const id = reader.uvarint();
    const lastKind = kinds.at(-1) ?? 0;
    if (kind < lastKind || (kind === lastKind && id <= (ids.at(-1) as number))) {
      throw new PageDecodeError('NOT_ASCENDING', 'sources do not ascend');
    }
    kinds.push(kind);
    ids.push(id);
  }
  return { kinds, ids };
};

const readFees = (reader: ByteReader, size: number, unit: bigint): bigint[] => {
  const fees = Array.from({ length: size }, () => reader.ubig());
  const divisor = fees.reduce(greatestCommonDivisor, 0n);
  if (divisor === 0n ? unit !== 1n : divisor !== 1n || unit === 0n) {
    throw new PageDecodeError('BAD_FEE_UNIT', `unit ${unit} of fees with the common divisor ${divisor}`);
  }
  return fees.map((fee) => {
    const weight = fee * unit;
    if (weight > limits.feeWeight) throw new PageDecodeError('OUT_OF_RANGE', 'a fee weight is over 2^128 - 1');
    return weight;
  });
};

const readRowOffsets = (reader: ByteReader, size: number): Uint32Array => {
  const offsets = new Uint32Array(size + 1);
  for (let i = 0, sum = 0; i < size; i++) {
    sum += reader.uvarint();
    if (sum > limits.rows) throw new PageDecodeError('ROW_COUNT', `over ${limits.rows} rows`);
    offsets[i + 1] = sum;
  }
  return offsets;
};

const readMethod = (reader: ByteReader): number => {
  const method = reader.uvarint();
  if (method < 1 || method > limits.methods) throw new PageDecodeError('BAD_METHOD', `method ${method}`);
  return method;
};

const readContributions = (reader: ByteReader, offsets: Uint32Array, dictionary: Dictionary): Float64Array => {
  const ids = new Float64Array(offsets.at(-1) ?? 0);
  for (let output = 0; output + 1 < offsets.length; output++) {
    let index = -1;
    for (let row = offsets[output] as number; row < (offsets[output + 1] as number); row++) {
      index = ascend(index, reader.uvarint());
      ids[row] = dictionary.at(index);
    }
  }
  return ids;
};

const readWeights = (reader: ByteReader, count: number): Float64Array => {
  const weights = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const weight = reader.uvarint();
    if (weight === 0) throw new PageDecodeError('ZERO_WEIGHT', `row ${row} has no weight`);
    weights[row] = weight;
  }
  return weights;
};
