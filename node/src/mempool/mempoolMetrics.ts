import type { Metrics } from '@openledger/kit';

/** Seconds; fine where the promise is: 300 ms to a preconfirmation, 1.5 s to a block. */
export const latencyBuckets = [
  0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 30,
];

export const createMempoolMetrics = (metrics: Metrics) => {
  const transactions = metrics.gauge('txpool_transactions', 'Transactions waiting in the mempool');
  const bytes = metrics.gauge('txpool_bytes', 'Bytes of the transactions waiting in the mempool');
  const refused = metrics.counter('txpool_refused_total', 'Transactions turned away because the mempool was full');
  const inclusion = metrics.histogram(
    'admission_to_block_seconds',
    'From admission to the committed block that carries the transaction',
    latencyBuckets,
  );
  return {
    holds: (count: number, size: number): void => {
      transactions.set(count);
      bytes.set(size);
    },
    refused: (): void => refused.inc(),
    included: (admittedAt: number): void => inclusion.observe((performance.now() - admittedAt) / 1000),
  };
};
