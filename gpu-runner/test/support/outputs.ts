import type { Transcript } from '../../src/audit/transcript.ts';
import { type OutputRecord, saveOutput } from '../../src/gateway/outputs.ts';
import type { RunnerDatabase } from '../../src/queue/database.ts';
import { hashOf } from './chainEvents.ts';

/** A served output that is told apart by its name. */
export const outputRecord = (name: string, changes: Partial<OutputRecord> = {}): OutputRecord => ({
  outputId: hashOf(name),
  modelId: '1',
  sourceKind: 2,
  sourceId: '1',
  nonce: '0',
  promptHash: hashOf(`prompt of ${name}`),
  outputHash: hashOf(`output of ${name}`),
  promptTokens: 3,
  outputTokens: 4,
  cost: '10',
  method: 2,
  rows: [
    { contributionId: '2', weight: '7' },
    { contributionId: '11', weight: '1' },
  ],
  ...changes,
});

/** Keeps an output whose transcript nobody asks for. */
export const keepOutput = (database: RunnerDatabase, record: OutputRecord): Promise<bigint> =>
  saveOutput(database, record, {} as Transcript);
