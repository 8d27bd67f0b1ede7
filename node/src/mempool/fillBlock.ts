import { isOpenLedgerError } from '@openledger/kit';
import type { BlockExecution } from '../execution/blockExecution.ts';
import type { Mempool } from './mempool.ts';

/**
 * Fills a block with waiting transactions, best tip first, until it is full or `budgetMs` have passed. Transactions that can
 * never be included are dropped from the pool.
 */
export const fillBlock = async (execution: BlockExecution, mempool: Mempool, budgetMs: number): Promise<void> => {
  const deadline = performance.now() + budgetMs;
  const candidates = mempool.best(execution.header.baseFeePerGas ?? 0n);
  let next = await candidates.next();
  while (!next.done && performance.now() < deadline) {
    const transaction = next.value;
    let included = true;
    try {
      await execution.apply(transaction);
    } catch (error) {
      included = false;
      if (!isOpenLedgerError(error) || error.handling !== 'reject') throw error;
      const later = error.code === 'BLOCK_GAS_EXCEEDED' || error.code === 'TX_NONCE_TOO_HIGH';
      if (!later && error.code !== 'TX_FEE_TOO_LOW') await mempool.drop(transaction, error.describe());
    }
    next = await candidates.next(included);
  }
  await candidates.return(undefined);
};
