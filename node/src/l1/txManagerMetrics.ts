import type { Metrics } from '@openledger/kit';

/** Names as op-service's txmgr has them. */
export const txManagerMetrics = (metrics: Metrics) => ({
  balance: metrics.gauge('balance', 'Balance of the sending account on L1, ETH'),
  baseFee: metrics.gauge('basefee_wei', 'Base fee of the latest L1 block'),
  blobBaseFee: metrics.gauge('blob_basefee_wei', 'Blob base fee of L1'),
  nonce: metrics.gauge('current_nonce', 'Nonce of the next L1 transaction'),
  pending: metrics.gauge('pending_txs', 'L1 transactions that wait for inclusion'),
  confirmed: metrics.counter('tx_confirmed_count', 'L1 transactions that got their confirmations'),
  bumps: metrics.counter('tx_gas_bump', 'L1 transactions that were signed again for more'),
  publishErrors: metrics.counter('tx_publish_error_count', 'L1 transactions that could not be sent', ['reason']),
});

export type TxManagerMetrics = ReturnType<typeof txManagerMetrics>;
