import type { BatchOutput } from '@openledger/contracts';
import type { Hex } from 'viem';
import type { RunnerDatabase } from '../queue/database.ts';

/** A served output as it waits to be settled; numbers that don't fit a double are decimal strings. */
export type OutputRecord = {
  readonly outputId: Hex;
  readonly modelId: string;
  /** Tells outputs apart that agree in all else. */
  readonly nonce: string;
  readonly channelId: string;
  readonly promptHash: Hex;
  readonly outputHash: Hex;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Wei. */
  readonly cost: string;
  readonly rows: readonly { contributionId: string; weight: string }[];
};

export const toBatchOutput = (record: OutputRecord): BatchOutput => ({
  modelId: BigInt(record.modelId),
  nonce: BigInt(record.nonce),
  sourceKind: 2,
  sourceId: BigInt(record.channelId),
  promptHash: record.promptHash,
  outputHash: record.outputHash,
  promptTokens: record.promptTokens,
  outputTokens: record.outputTokens,
  feeWeight: BigInt(record.cost),
  method: 2,
  rows: record.rows.map(({ contributionId, weight }) => ({
    contributionId: BigInt(contributionId),
    weight: BigInt(weight),
  })),
});

export const saveOutput = async (database: RunnerDatabase, record: OutputRecord): Promise<void> => {
  await database.query('INSERT INTO runner.outputs (output_id, channel_id, record) VALUES ($1, $2, $3)', [
    record.outputId,
    record.channelId,
    JSON.stringify(record),
  ]);
};

export const findOutput = async (
  database: RunnerDatabase,
  outputId: string,
): Promise<{ record: OutputRecord; settledIn: string | null } | undefined> => {
  const { rows } = await database.query<{ record: OutputRecord; settled_in: string | null }>(
    'SELECT record, settled_in FROM runner.outputs WHERE output_id = $1',
    [outputId],
  );
  const row = rows[0];
  return row && { record: row.record, settledIn: row.settled_in };
};
