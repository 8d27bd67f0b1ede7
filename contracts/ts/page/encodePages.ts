import { hexToBytes } from 'viem';
import type { BatchOutput } from './batchOutput.ts';
import { ByteWriter } from './bytes.ts';
import { PageEncodeError } from './errors.ts';
import { fastLzCompress } from './fastLz.ts';
import { greatestCommonDivisor, limits, PAGE_VERSION } from './page.ts';

export interface EncodeOptions {
  /** Bytes of a page to aim at; an output with many rows may need more. Small pages make cheap proofs. */
  targetBytes?: number;
  /** Compress a page where that makes it shorter. */
  compress?: boolean;
}

const TARGET_BYTES = 4_096;

/**
 * The pages of a batch, in the outputs' order.
 *
 * @throws PageEncodeError for what no reader would take; nothing is encoded then
 */
export const encodePages = (outputs: readonly BatchOutput[], options: EncodeOptions = {}): Uint8Array[] => {
  if (outputs.length === 0) throw new PageEncodeError('a batch has at least one output');
  for (const [index, output] of outputs.entries()) checkOutput(output, `output ${index}`);
  const target = options.targetBytes ?? TARGET_BYTES;
  const pages: Uint8Array[] = [];
  let from = 0;
  let estimate = 0;
  for (const [index, output] of outputs.entries()) {
    // 96 bytes for hashes and numbers; a row takes an index, a weight and its part of the dictionary.
    const bytes = 96 + 7 * output.rows.length;
    if (index > from && (estimate + bytes > target || index - from === limits.outputs)) {
      pages.push(encodePage(outputs.slice(from, index), options));
      from = index;
      estimate = 0;
    }
    estimate += bytes;
  }
  pages.push(encodePage(outputs.slice(from), options));
  return pages;
};

/** @throws PageEncodeError when the outputs don't fit into one page */
const encodePage = (outputs: readonly BatchOutput[], { compress = false }: EncodeOptions): Uint8Array => {
  const body = encodeBody(outputs);
  if (body.length > limits.bodyBytes) throw new PageEncodeError(`a page of ${body.length} bytes`);
  const plain = new ByteWriter().bytes(Uint8Array.of(PAGE_VERSION, 0)).bytes(body).done();
  if (!compress) return plain;
  const packed = new ByteWriter()
    .bytes(Uint8Array.of(PAGE_VERSION, 1))
    .uvarint(body.length)
    .bytes(fastLzCompress(body))
    .done();
  return packed.length < plain.length ? packed : plain;
};

const encodeBody = (outputs: readonly BatchOutput[]): Uint8Array => {
  const models = dictionary(outputs.map(({ modelId }) => Number(modelId)));
  const contributions = dictionary(outputs.flatMap(({ rows }) => rows.map((row) => Number(row.contributionId))));
  const sources = sourceDictionary(outputs);
  const feeUnit = outputs.reduce((unit, { feeWeight }) => greatestCommonDivisor(unit, feeWeight), 0n) || 1n;
  const writer = new ByteWriter().uvarint(outputs.length);
  writeIds(writer, [...models.keys()]);
  writer.uvarint(sources.entries.length);
  for (const { kind, id } of sources.entries) writer.uvarint(kind).uvarint(id);
  writeIds(writer, [...contributions.keys()]);
  writer.ubig(feeUnit);
  const column = (value: (output: BatchOutput) => number) => {
    for (const output of outputs) writer.uvarint(value(output));
  };
  column((output) => sources.indexes.get(sourceKey(output)) as number);
  for (const { feeWeight } of outputs) writer.ubig(feeWeight / feeUnit);
  column(({ rows }) => rows.length);
  column(({ modelId }) => models.get(Number(modelId)) as number);
  column(({ method }) => method);
  column(({ nonce }) => Number(nonce));
  column(({ promptTokens }) => promptTokens);
  column(({ outputTokens }) => outputTokens);
  for (const { promptHash } of outputs) writer.bytes(hexToBytes(promptHash));
  for (const { outputHash } of outputs) writer.bytes(hexToBytes(outputHash));
  for (const { rows } of outputs) {
    let previous = -1;
    for (const { contributionId } of rows) {
      const index = contributions.get(Number(contributionId)) as number;
      writer.uvarint(index - previous - 1);
      previous = index;
    }
  }
  for (const { rows } of outputs) for (const { weight } of rows) writer.uvarint(Number(weight));
  return writer.done();
};

/** Distinct values in ascending order, each with its index. */
const dictionary = (values: readonly number[]): Map<number, number> =>
  new Map([...new Set(values)].sort((a, b) => a - b).map((value, index) => [value, index]));

const sourceKey = ({ sourceKind, sourceId }: BatchOutput): string => `${sourceKind} ${sourceId}`;

const sourceDictionary = (outputs: readonly BatchOutput[]) => {
  const distinct = new Map(
    outputs.map((output) => [sourceKey(output), { kind: output.sourceKind as number, id: Number(output.sourceId) }]),
  );
  const sorted = [...distinct].sort(([, a], [, b]) => a.kind - b.kind || a.id - b.id);
  return {
    entries: sorted.map(([, entry]) => entry),
    indexes: new Map(sorted.map(([key], index) => [key, index])),
  };
};

const writeIds = (writer: ByteWriter, ids: readonly number[]): void => {
  writer.uvarint(ids.length);
  let previous = -1;
  for (const id of ids) {
    writer.uvarint(id - previous - 1);
    previous = id;
  }
};

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const checkOutput = (output: BatchOutput, at: string): void => {
  for (const field of ['promptHash', 'outputHash'] as const) {
    if (!/^0x[0-9a-f]{64}$/i.test(output[field])) throw new PageEncodeError(`${at}: ${field} is no hash`);
  }
  for (const field of ['modelId', 'sourceId', 'nonce'] as const) inRange(output[field], MAX_SAFE, `${at} ${field}`);
  inRange(output.feeWeight, limits.feeWeight, `${at} feeWeight`);
  for (const field of ['promptTokens', 'outputTokens'] as const) {
    inRange(output[field], limits.tokens, `${at} ${field}`);
  }
  inRange(output.sourceKind - 1, limits.sourceKinds - 1, `${at} sourceKind`);
  inRange(output.method - 1, limits.methods - 1, `${at} method`);
  if (output.rows.length > limits.rows) throw new PageEncodeError(`${at} has ${output.rows.length} rows`);
  let last = -1n;
  for (const { contributionId, weight } of output.rows) {
    inRange(contributionId, MAX_SAFE, `${at} contributionId`);
    inRange(weight - 1n, MAX_SAFE - 1n, `${at} weight`);
    if (contributionId <= last) throw new PageEncodeError(`${at}: rows don't ascend at ${contributionId}`);
    last = contributionId;
  }
};

const inRange = (value: bigint | number, max: bigint | number, at: string): void => {
  const whole = typeof value === 'bigint' || Number.isInteger(value);
  if (!whole || value < 0 || value > max) throw new PageEncodeError(`${at} ${value} is out of range`);
};
