import type { BatchOutput } from '@openledger/contracts';
import type { Hex } from 'viem';
import type { Transcript } from '../audit/transcript.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import type { Citation } from './attribution.ts';

/** A served output as it waits to be settled; numbers that don't fit a double are decimal strings. */
export type OutputRecord = {
  readonly outputId: Hex;
  readonly modelId: string;
  /** 2 channel, 3 inference job. */
  readonly sourceKind: 2 | 3;
  readonly sourceId: string;
  readonly nonce: string;
  readonly promptHash: Hex;
  readonly outputHash: Hex;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Wei. */
  readonly cost: string;
  /** How the rows were made: a number of the batch format. */
  readonly method: number;
  /** The passages that the answer was made from, in the order of their numbers. */
  readonly citations?: readonly Citation[];
  readonly rows: readonly { contributionId: string; weight: string }[];
};

/** The output as attribution batches carry it. Its fee weight is its price, so a settlement divides exactly. */
export const toBatchOutput = (record: OutputRecord): BatchOutput => ({
  modelId: BigInt(record.modelId),
  sourceKind: record.sourceKind,
  sourceId: BigInt(record.sourceId),
  nonce: BigInt(record.nonce),
  promptHash: record.promptHash,
  outputHash: record.outputHash,
  promptTokens: record.promptTokens,
  outputTokens: record.outputTokens,
  feeWeight: BigInt(record.cost),
  method: record.method,
  rows: record.rows.map(({ contributionId, weight }) => ({
    contributionId: BigInt(contributionId),
    weight: BigInt(weight),
  })),
});

/**
 * Keeps the output, with the transcript that an auditor may ask for, and adds its cost to what its source has been served,
 * in one statement; returns that sum.
 */
export const saveOutput = async (
  database: RunnerDatabase,
  record: OutputRecord,
  transcript: Transcript,
): Promise<bigint> => {
  const { rows } = await database.query<{ served: string }>(
    `WITH source AS (
       UPDATE runner.sources SET served = served + $5, next_nonce = greatest(next_nonce, $4::bigint + 1)
       WHERE kind = $2 AND id = $3 RETURNING served
     ), kept AS (
       INSERT INTO runner.served (output_id, source_kind, source_id, nonce, cost, record)
       SELECT $1, $2, $3, $4::bigint, $5, $6 FROM source
     ), remembered AS (
       INSERT INTO runner.transcripts (output_id, transcript) SELECT $1, $7 FROM source
     )
     SELECT served::text AS served FROM source`,
    [
      record.outputId,
      record.sourceKind,
      record.sourceId,
      record.nonce,
      record.cost,
      JSON.stringify(record),
      JSON.stringify(transcript),
    ],
  );
  return BigInt((rows[0] as { served: string }).served);
};

export const findOutput = async (
  database: RunnerDatabase,
  outputId: string,
): Promise<{ record: OutputRecord; settlement: string | null } | undefined> => {
  const { rows } = await database.query<{ record: OutputRecord; settlement: string | null }>(
    'SELECT record, settlement FROM runner.served WHERE output_id = $1',
    [outputId],
  );
  return rows[0];
};
