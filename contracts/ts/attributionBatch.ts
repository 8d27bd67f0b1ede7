import type { Hex } from 'viem';
import { bytesToBigInt, bytesToHex, fromRlp, hexToBytes, maxUint256, toRlp } from 'viem';

/** Version 0 of the attribution batch: docs/spec/attribution-batch.md. */
export const BATCH_VERSION = 0;
export const MAX_OUTPUTS = 10_000;
export const MAX_ROWS = 10_000;

export const batchSourceKinds = { trainingJob: 1, channel: 2 } as const;
export const batchMethods = { trainingTokens: 1, evidence0: 2 } as const;

export interface BatchRow {
  contributionId: bigint;
  weight: bigint;
}

export interface BatchOutput {
  outputId: Hex;
  modelId: bigint;
  sourceKind: (typeof batchSourceKinds)[keyof typeof batchSourceKinds];
  /** jobId or channelId, by sourceKind. */
  sourceId: bigint;
  promptHash: Hex;
  outputHash: Hex;
  promptTokens: number;
  outputTokens: number;
  /** This output's share in its source's settled amount; only the ratio counts. */
  feeWeight: bigint;
  method: (typeof batchMethods)[keyof typeof batchMethods];
  rows: BatchRow[];
}

export type BatchDecodeErrorCode =
  | 'NOT_RLP'
  | 'NOT_CANONICAL'
  | 'BAD_SHAPE'
  | 'BAD_LENGTH'
  | 'BAD_INTEGER'
  | 'OUT_OF_RANGE'
  | 'OUTPUT_COUNT'
  | 'COUNT_MISMATCH'
  | 'DUPLICATE_OUTPUT'
  | 'ROW_COUNT'
  | 'ROW_ORDER'
  | 'ZERO_WEIGHT';

/** The batch is not one of version 0. The code is stable: it becomes the reason of the BatchRejected event. */
export class BatchDecodeError extends Error {
  override readonly name = 'BatchDecodeError';
  readonly code: BatchDecodeErrorCode;

  constructor(code: BatchDecodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

type Item = Uint8Array | readonly Item[];

const MAX_UINT32 = 0xffff_ffff;
const MAX_UINT128 = (1n << 128n) - 1n;

/** @throws BatchDecodeError when every reader would refuse the batch */
export function encodeBatch(outputs: readonly BatchOutput[]): Hex {
  checkBatch(outputs);
  return toRlp(outputs.map(outputItem), 'hex');
}

/**
 * Reads a batch strictly.
 *
 * @param count what the transaction said; left out where only the bytes are at hand
 * @throws BatchDecodeError and nothing else, whatever the bytes are
 */
export function decodeBatch(batch: Hex | Uint8Array, count?: number): BatchOutput[] {
  const items = list(readCanonical(batch), 'batch');
  if (items.length === 0 || items.length > MAX_OUTPUTS) {
    throw new BatchDecodeError('OUTPUT_COUNT', `${items.length} outputs, should be 1 to ${MAX_OUTPUTS}`);
  }
  if (count !== undefined && count !== items.length) {
    throw new BatchDecodeError('COUNT_MISMATCH', `${items.length} outputs, but the transaction says ${count}`);
  }
  const outputs = items.map(readOutput);
  checkBatch(outputs);
  return outputs;
}

/** Lenient readers are many and differ; encoding again and comparing leaves exactly one form per content. */
function readCanonical(batch: Hex | Uint8Array): Item {
  let bytes: Uint8Array;
  let item: Item;
  let again: Uint8Array;
  try {
    // viem reads odd digits as if a zero stood before them.
    if (typeof batch === 'string' && batch.length % 2 !== 0) throw new RangeError('an odd number of hex digits');
    bytes = typeof batch === 'string' ? hexToBytes(batch) : batch;
    if (bytes.length === 0) throw new RangeError('no bytes');
    item = fromRlp(bytes, 'bytes') as Item;
    again = toRlp(item as Uint8Array, 'bytes');
  } catch (cause) {
    // viem's own errors, and the stack's RangeError on a bomb of nested lists.
    throw new BatchDecodeError('NOT_RLP', 'the batch is not RLP', { cause });
  }
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) {
    throw new BatchDecodeError('NOT_CANONICAL', 'the batch is not canonical RLP');
  }
  return item;
}

function readOutput(item: Item, index: number): BatchOutput {
  const at = `output ${index}`;
  const fields = list(item, at);
  if (fields.length !== 11) throw new BatchDecodeError('BAD_SHAPE', `${at} has ${fields.length} fields, should be 11`);
  return {
    outputId: hash(fields[0], `${at} outputId`),
    modelId: integer(fields[1], `${at} modelId`),
    sourceKind: Number(integer(fields[2], `${at} sourceKind`)) as BatchOutput['sourceKind'],
    sourceId: integer(fields[3], `${at} sourceId`),
    promptHash: hash(fields[4], `${at} promptHash`),
    outputHash: hash(fields[5], `${at} outputHash`),
    promptTokens: Number(integer(fields[6], `${at} promptTokens`)),
    outputTokens: Number(integer(fields[7], `${at} outputTokens`)),
    feeWeight: integer(fields[8], `${at} feeWeight`),
    method: Number(integer(fields[9], `${at} method`)) as BatchOutput['method'],
    rows: list(fields[10], `${at} rows`).map((row) => readRow(row, at)),
  };
}

function readRow(item: Item, at: string): BatchRow {
  const fields = list(item, `${at} row`);
  if (fields.length !== 2) throw new BatchDecodeError('BAD_SHAPE', `${at} has a row of ${fields.length} fields`);
  return { contributionId: integer(fields[0], `${at} row`), weight: integer(fields[1], `${at} row`) };
}

function list(item: Item | undefined, at: string): readonly Item[] {
  if (item === undefined || item instanceof Uint8Array) throw new BatchDecodeError('BAD_SHAPE', `${at} is not a list`);
  return item;
}

function text(item: Item | undefined, at: string): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new BatchDecodeError('BAD_SHAPE', `${at} is not a byte string`);
  return item;
}

function hash(item: Item | undefined, at: string): Hex {
  const bytes = text(item, at);
  if (bytes.length !== 32) throw new BatchDecodeError('BAD_LENGTH', `${at} has ${bytes.length} bytes, should be 32`);
  return bytesToHex(bytes);
}

function integer(item: Item | undefined, at: string): bigint {
  const bytes = text(item, at);
  if (bytes[0] === 0) throw new BatchDecodeError('BAD_INTEGER', `${at} has a leading zero`);
  if (bytes.length > 32) throw new BatchDecodeError('OUT_OF_RANGE', `${at} has ${bytes.length} bytes, over 32`);
  return bytes.length === 0 ? 0n : bytesToBigInt(bytes);
}

/** The rules beyond the form, the same for writer and reader. */
function checkBatch(outputs: readonly BatchOutput[]): void {
  if (outputs.length === 0 || outputs.length > MAX_OUTPUTS) {
    throw new BatchDecodeError('OUTPUT_COUNT', `${outputs.length} outputs, should be 1 to ${MAX_OUTPUTS}`);
  }
  const seen = new Set<string>();
  for (const [index, output] of outputs.entries()) {
    const at = `output ${index}`;
    checkOutput(output, at);
    const id = output.outputId.toLowerCase();
    if (seen.has(id)) throw new BatchDecodeError('DUPLICATE_OUTPUT', `${at} repeats outputId ${id}`);
    seen.add(id);
  }
}

function checkOutput(output: BatchOutput, at: string): void {
  for (const field of ['outputId', 'promptHash', 'outputHash'] as const) {
    if (!/^0x[0-9a-f]{64}$/i.test(output[field])) throw new BatchDecodeError('BAD_LENGTH', `${at} ${field} is no hash`);
  }
  inRange(output.modelId, maxUint256, `${at} modelId`);
  inRange(output.sourceId, maxUint256, `${at} sourceId`);
  inRange(output.feeWeight, MAX_UINT128, `${at} feeWeight`);
  inRange(output.promptTokens, MAX_UINT32, `${at} promptTokens`);
  inRange(output.outputTokens, MAX_UINT32, `${at} outputTokens`);
  if (output.sourceKind !== 1 && output.sourceKind !== 2) {
    throw new BatchDecodeError('OUT_OF_RANGE', `${at} sourceKind is ${output.sourceKind}`);
  }
  if (output.method !== 1 && output.method !== 2) {
    throw new BatchDecodeError('OUT_OF_RANGE', `${at} method is ${output.method}`);
  }
  if (output.rows.length > MAX_ROWS) throw new BatchDecodeError('ROW_COUNT', `${at} has ${output.rows.length} rows`);
  let last = -1n;
  for (const { contributionId, weight } of output.rows) {
    inRange(contributionId, maxUint256, `${at} row`);
    inRange(weight, maxUint256, `${at} row`);
    if (contributionId <= last) throw new BatchDecodeError('ROW_ORDER', `${at} rows don't ascend at ${contributionId}`);
    if (weight === 0n)
      throw new BatchDecodeError('ZERO_WEIGHT', `${at} gives contribution ${contributionId} no weight`);
    last = contributionId;
  }
}

function inRange(value: bigint | number, max: bigint | number, at: string): void {
  const whole = typeof value === 'bigint' || Number.isInteger(value);
  if (!whole || value < 0 || value > max) throw new BatchDecodeError('OUT_OF_RANGE', `${at} ${value} is out of range`);
}

function outputItem(output: BatchOutput): RlpHex {
  return [
    output.outputId,
    minimal(output.modelId),
    minimal(output.sourceKind),
    minimal(output.sourceId),
    output.promptHash,
    output.outputHash,
    minimal(output.promptTokens),
    minimal(output.outputTokens),
    minimal(output.feeWeight),
    minimal(output.method),
    output.rows.map((row) => [minimal(row.contributionId), minimal(row.weight)]),
  ];
}

type RlpHex = Hex | RlpHex[];

/** Big-endian without leading zeros; zero is the empty string. */
function minimal(value: bigint | number): Hex {
  if (value === 0 || value === 0n) return '0x';
  const digits = value.toString(16);
  return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`;
}
