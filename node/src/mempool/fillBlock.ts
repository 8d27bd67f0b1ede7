import { setImmediate } from 'node:timers/promises';
import { isOpenLedgerError } from '@openledger/kit';
import type { Hex } from 'viem';
import type { BlockExecution } from '../execution/blockExecution.ts';
import type { SignedL2Transaction } from '../primitives/transaction.ts';
import type { Mempool } from './mempool.ts';

/** A transaction that can't be in any block that follows this one's parent. */
export type RefusedTransaction = { readonly transaction: SignedL2Transaction; readonly reason: string };

/** Execution hardly ever waits: without a pause requests would wait for the whole budget. */
const PAUSE_AFTER_MS = 5;

/**
 * Fills a block with waiting transactions, best tip first, until it is full or `budgetMs` have passed; it may have some
 * already. Those of `skip` are left out, with what follows them; what goes in is noted in `taken` before it is executed. Gives
 * those that can never be included: the caller drops them once the block they don't fit is more than an attempt.
 */
export const fillBlock = async (
  execution: BlockExecution,
  mempool: Mempool,
  budgetMs: number,
  { skip = new Set(), taken = new Set() }: { skip?: { has(hash: Hex): boolean }; taken?: Set<Hex> } = {},
): Promise<readonly RefusedTransaction[]> => {
  const deadline = performance.now() + budgetMs;
  const refused: RefusedTransaction[] = [];
  const candidates = mempool.best(execution.header.baseFeePerGas ?? 0n, (sender) => execution.nonceOf(sender));
  let next = await candidates.next();
  let pausedAt = performance.now();
  while (!next.done && performance.now() < deadline) {
    const transaction = next.value;
    let included = !skip.has(transaction.hash);
    try {
      if (included) {
        taken.add(transaction.hash);
        await execution.apply(transaction);
      }
    } catch (error) {
      included = false;
      taken.delete(transaction.hash);
      if (!isOpenLedgerError(error) || error.handling !== 'reject') throw error;
      const later = error.code === 'BLOCK_GAS_EXCEEDED' || error.code === 'TX_NONCE_TOO_HIGH';
      if (!later && error.code !== 'TX_FEE_TOO_LOW') refused.push({ transaction, reason: error.describe() });
    }
    if (performance.now() - pausedAt > PAUSE_AFTER_MS) {
      await setImmediate();
      pausedAt = performance.now();
    }
    next = await candidates.next(included);
  }
  await candidates.return(undefined);
  return refused;
};
