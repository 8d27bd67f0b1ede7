import { bytesToHex, type Hex, hexToBytes, keccak256 } from 'viem';
import type { AttributionPage, batchSourceKinds } from './page.ts';

export interface BatchRow {
  contributionId: bigint;
  weight: bigint;
}

/** One output as an object, for writers and small readers; ids and weights are safe integers. */
export interface BatchOutput {
  modelId: bigint;
  sourceKind: (typeof batchSourceKinds)[keyof typeof batchSourceKinds];
  /** jobId or channelId, by sourceKind. */
  sourceId: bigint;
  method: number;
  nonce: bigint;
  promptHash: Hex;
  outputHash: Hex;
  promptTokens: number;
  outputTokens: number;
  /** This output's share in its source's settled amount; only the ratio counts. */
  feeWeight: bigint;
  /** Strictly ascending by contributionId. */
  rows: BatchRow[];
}

type Identity = Pick<BatchOutput, 'modelId' | 'sourceKind' | 'sourceId' | 'promptHash' | 'outputHash' | 'nonce'>;

/**
 * What an output is called everywhere, known as soon as it was served: keccak256(abi.encode(uint256 modelId, uint8 sourceKind,
 * uint256 sourceId, bytes32 promptHash, bytes32 outputHash, uint256 nonce)). Written word by word: nodes name thousands a second.
 */
export const outputIdOf = (output: Identity): Hex => {
  const bytes = new Uint8Array(6 * 32);
  const view = new DataView(bytes.buffer);
  // All numbers are safe integers: only a word's last eight bytes are ever other than zero.
  const word = (index: number, value: bigint) => view.setBigUint64(32 * index + 24, value);
  word(0, output.modelId);
  word(1, BigInt(output.sourceKind));
  word(2, output.sourceId);
  bytes.set(hexToBytes(output.promptHash), 3 * 32);
  bytes.set(hexToBytes(output.outputHash), 4 * 32);
  word(5, output.nonce);
  return keccak256(bytes);
};

/** All of an output but its rows: readers of many take those from the columns. @throws RangeError when there is no such output */
export const outputHeadAt = (page: AttributionPage, index: number): Omit<BatchOutput, 'rows'> => {
  if (!Number.isInteger(index) || index < 0 || index >= page.size) throw new RangeError(`no output ${index}`);
  const whole = (column: readonly number[]): bigint => BigInt(column[index] as number);
  const hash = (column: Uint8Array): Hex => bytesToHex(column.subarray(32 * index, 32 * index + 32));
  return {
    modelId: whole(page.modelIds),
    sourceKind: page.sourceKinds[index] as BatchOutput['sourceKind'],
    sourceId: whole(page.sourceIds),
    method: page.methods[index] as number,
    nonce: whole(page.nonces),
    promptHash: hash(page.promptHashes),
    outputHash: hash(page.outputHashes),
    promptTokens: page.promptTokens[index] as number,
    outputTokens: page.outputTokens[index] as number,
    feeWeight: page.feeWeights[index] as bigint,
  };
};

/** @throws RangeError when the page has no output `index` */
export const outputAt = (page: AttributionPage, index: number): BatchOutput => {
  const head = outputHeadAt(page, index);
  const rows: BatchRow[] = [];
  for (let row = page.rowOffsets[index] as number; row < (page.rowOffsets[index + 1] as number); row++) {
    rows.push({
      contributionId: BigInt(page.contributionIds[row] as number),
      weight: BigInt(page.weights[row] as number),
    });
  }
  return { ...head, rows };
};

export const outputsOf = (page: AttributionPage): BatchOutput[] =>
  Array.from({ length: page.size }, (_, index) => outputAt(page, index));

export const outputIdAt = (page: AttributionPage, index: number): Hex => outputIdOf(outputHeadAt(page, index));
