import { type Database, readStatus } from '@openledger/indexer/views';
import { describeError } from '@openledger/kit';
import type { GraphqlLimits } from './config.ts';

export type ReadinessReason = {
  code: 'DATABASE_UNAVAILABLE' | 'INDEXER_ABSENT' | 'INDEXER_SILENT' | 'INDEXER_FAILING' | 'INDEXER_LAGS';
  message: string;
};

/** Why the answers can't be trusted to show the chain as it is; empty when they can. */
export const readinessReasons = async (
  database: Database,
  limits: Pick<GraphqlLimits, 'lagEntries' | 'indexerSilenceMs'>,
): Promise<ReadinessReason[]> => {
  let status: Awaited<ReturnType<typeof readStatus>>;
  try {
    status = await readStatus(database);
  } catch (error) {
    // PostgreSQL's code for a table that isn't there: the database answers, but no indexer has been at work.
    const absent = error instanceof Error && 'code' in error && error.code === '42P01';
    return absent
      ? [{ code: 'INDEXER_ABSENT', message: 'there are no views yet' }]
      : [{ code: 'DATABASE_UNAVAILABLE', message: describeError(error) }];
  }
  if (!status || status.observedAt === null) {
    return [{ code: 'INDEXER_ABSENT', message: 'no indexer has reported yet' }];
  }
  const reasons: ReadinessReason[] = [];
  const silence = Date.now() - status.observedAt;
  if (silence > limits.indexerSilenceMs) {
    reasons.push({
      code: 'INDEXER_SILENT',
      message: `no sign of life from the indexer for ${Math.round(silence / 1000)} s`,
    });
  }
  if (status.lastError !== null) reasons.push({ code: 'INDEXER_FAILING', message: status.lastError });
  const lag = (status.feedSeq ?? 0) - status.seq;
  if (lag > limits.lagEntries) reasons.push({ code: 'INDEXER_LAGS', message: `${lag} log entries behind the node` });
  return reasons;
};
