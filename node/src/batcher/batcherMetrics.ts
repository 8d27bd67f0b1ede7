import type { Metrics } from '@openledger/kit';

/** Names as op-batcher has them. */
export const batcherMetrics = (metrics: Metrics) => ({
  pendingBlocks: metrics.gauge('pending_blocks_count', 'L2 blocks that are in no channel yet'),
  blocksAdded: metrics.counter('blocks_added_count', 'L2 blocks put into channels'),
  inputBytes: metrics.counter('input_bytes_total', 'Bytes of L2 transactions in closed channels'),
  outputBytes: metrics.counter('output_bytes_total', 'Compressed bytes of closed channels'),
  closedReason: metrics.counter('channel_closed_reason', 'Channels closed, by reason', ['reason']),
  frames: metrics.gauge('channel_num_frames', 'Frames of the channel closed last'),
  compression: metrics.histogram(
    'channel_compr_ratio',
    'Compressed by uncompressed bytes of closed channels',
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5],
  ),
  blobUsedBytes: metrics.gauge('blob_used_bytes', 'Bytes used of the last blob of the channel closed last'),
  resets: metrics.counter('resets_total', 'Times that channels were built anew from the safe head', ['reason']),
  waiting: metrics.gauge('waiting', '1 while nothing can be sent, by reason', ['reason']),
  costPerTransaction: metrics.gauge('l1_cost_per_transaction_wei', 'L1 cost of an L2 transaction, average since start'),
});

export type BatcherMetrics = ReturnType<typeof batcherMetrics>;
