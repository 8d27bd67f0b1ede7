/** Format 1 of the attribution batch: docs/spec/attribution-batch.md. */
export const PAGE_VERSION = 1;

export const batchSourceKinds = { trainingJob: 1, channel: 2, inferenceJob: 3 } as const;
export const batchMethods = { trainingTokens: 1, evidence0: 2, retrieval0: 3, influence0: 4 } as const;

export const limits = {
  /** Outputs of a page. */
  outputs: 1_024,
  /** Rows of a page. */
  rows: 4_096,
  /** Bytes of a body, decompressed. */
  bodyBytes: 65_536,
  tokens: 0xffff_ffff,
  feeWeight: (1n << 128n) - 1n,
  methods: 255,
  sourceKinds: 3,
} as const;

/**
 * A page's outputs, column by column: n outputs with r rows in all. Ids and weights are safe integers. Output i has the rows
 * from rowOffsets[i] (inclusive) to rowOffsets[i + 1] (exclusive), by ascending contribution id.
 */
export interface AttributionPage {
  /** n */
  readonly size: number;
  readonly modelIds: readonly number[];
  readonly sourceKinds: readonly number[];
  readonly sourceIds: readonly number[];
  readonly methods: readonly number[];
  readonly nonces: readonly number[];
  readonly promptTokens: readonly number[];
  readonly outputTokens: readonly number[];
  /** Only the ratio within a source counts; at most 2^128 - 1. */
  readonly feeWeights: readonly bigint[];
  /** n times 32 bytes. */
  readonly promptHashes: Uint8Array;
  readonly outputHashes: Uint8Array;
  /** n + 1 */
  readonly rowOffsets: Uint32Array;
  /** r */
  readonly contributionIds: Float64Array;
  /** r, at least 1 each */
  readonly weights: Float64Array;
}

/** Of two numbers not below 0; 0 divides nothing but itself. */
export const greatestCommonDivisor = (a: bigint, b: bigint): bigint => {
  let [x, y] = [a, b];
  while (y !== 0n && x !== 1n) [x, y] = [y, x % y];
  return x;
};
