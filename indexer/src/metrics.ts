import type { Metrics } from '@openledger/kit';
import type { Applied } from './applyEntries.ts';
import type { IndexerState } from './indexer.ts';

export const indexerMetrics = (metrics: Metrics) => {
  const head = metrics.gauge('indexer_head_block', 'Last block that the views show');
  const lag = metrics.gauge('indexer_lag_entries', 'Log entries that the views do not show yet');
  const up = metrics.gauge('indexer_following', '1 while the indexer follows the log');
  const events = metrics.counter('indexer_events_total', 'Events written into views');
  const entries = metrics.counter('indexer_entries_total', 'Log entries applied');
  const reorgs = metrics.counter('indexer_reorgs_total', 'Times that views were unwound');
  const errors = metrics.counter('indexer_errors_total', 'Failed batches by error code', ['code']);
  const duration = metrics.histogram('indexer_batch_seconds', 'Time of a batch from read to commit');
  return {
    show: (state: IndexerState): void => {
      if (state.block !== null) head.set(Number(state.block));
      if (state.lag !== null) lag.set(state.lag);
      up.set(state.status === 'following' ? 1 : 0);
    },
    batch: (applied: Applied, entryCount: number, ms: number): void => {
      events.inc(applied.events);
      entries.inc(entryCount);
      if (applied.unwound) reorgs.inc();
      duration.observe(ms / 1_000);
    },
    failed: (code: string): void => errors.inc({ code }),
  };
};
