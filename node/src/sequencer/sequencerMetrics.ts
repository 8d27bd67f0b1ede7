import type { Metrics } from '@openledger/kit';
import type { Mempool } from '../mempool/mempool.ts';
import { latencyBuckets } from '../mempool/mempoolMetrics.ts';
import type { Flashblock } from '../pending/flashblock.ts';
import type { Block } from '../primitives/block.ts';

export type SequencerMetrics = {
  published(flashblock: Flashblock): void;
  sealed(block: Block): void;
  withdrawn(): void;
};

export const createSequencerMetrics = (metrics: Metrics, mempool: Mempool): SequencerMetrics => {
  const flashblocks = metrics.counter('flashblocks_published_total', 'Partial blocks published');
  const withdrawn = metrics.counter('flashblocks_withdrawn_total', 'Open blocks given up after they were published');
  const transactions = metrics.counter('transactions_sequenced_total', 'Signed transactions put into blocks');
  const preconfirmation = metrics.histogram(
    'admission_to_preconfirmation_seconds',
    'From the journal to the flashblock that carries the transaction',
    latencyBuckets,
  );
  return {
    published: ({ block, from }) => {
      flashblocks.inc();
      for (const { hash } of block.transactions.slice(from)) {
        const at = mempool.admittedAt(hash);
        if (at !== undefined) preconfirmation.observe((performance.now() - at) / 1000);
      }
    },
    sealed: (block) => transactions.inc(block.transactions.filter(({ kind }) => kind === 'signed').length),
    withdrawn: () => withdrawn.inc(),
  };
};
