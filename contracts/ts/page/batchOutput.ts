import { bytesToHex, encodeAbiParameters, type Hex, keccak256 } from 'viem';
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

const identity = [
  { type: 'uint256' },
  { type: 'uint8' },
  { type: 'uint256' },
  { type: 'bytes32' },
  { type: 'bytes32' },
  { type: 'uint256' },
] as const;

/** What an output is called everywhere; known as soon as it was served. */
export const outputIdOf = (output: Identity): Hex => {
  const { modelId, sourceKind, sourceId, promptHash, outputHash, nonce } = output;
  return keccak256(encodeAbiParameters(identity, [modelId, sourceKind, sourceId, promptHash, outputHash, nonce]));
};

/** @throws RangeError when the page has no output `index` */
export const outputAt = (page: AttributionPage, index: number): BatchOutput => {
  if (!Number.isInteger(index) || index < 0 || index >= page.size) throw new RangeError(`no output ${index}`);
  const whole = (column: readonly number[]): bigint => BigInt(column[index] as number);
  const hash = (column: Uint8Array): Hex => bytesToHex(column.subarray(32 * index, 32 * index + 32));
  const rows: BatchRow[] = [];
  for (let row = page.rowOffsets[index] as number; row < (page.rowOffsets[index + 1] as number); row++) {
    rows.push({
      contributionId: BigInt(page.contributionIds[row] as number),
      weight: BigInt(page.weights[row] as number),
    });
  }
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
    rows,
  };
};

export const outputsOf = (page: AttributionPage): BatchOutput[] =>
  Array.from({ length: page.size }, (_, index) => outputAt(page, index));

export const outputIdAt = (page: AttributionPage, index: number): Hex => outputIdOf(outputAt(page, index));
