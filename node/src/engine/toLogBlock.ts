import type { ChainEvent, LogBlock, LogTransaction } from '@openledger/event-log';
import type { Block } from '../primitives/block.ts';
import type { Receipt } from '../primitives/receipt.ts';
import { type L2Transaction, transactionType } from '../primitives/transaction.ts';

/** A block as the event log tells it. */
export const toLogBlock = (block: Block, events: readonly ChainEvent[]): LogBlock => ({
  number: block.header.number,
  hash: block.hash,
  parentHash: block.header.parentHash,
  timestamp: block.header.timestamp,
  gasUsed: block.header.gasUsed,
  gasLimit: block.header.gasLimit,
  baseFee: block.header.baseFeePerGas ?? 0n,
  l1Origin: block.l1Origin,
  transactions: block.transactions.flatMap((tx, index) => {
    const receipt = block.receipts[index];
    return receipt ? [toLogTransaction(tx, receipt)] : [];
  }),
  events,
});

const toLogTransaction = (tx: L2Transaction, receipt: Receipt): LogTransaction => {
  const body =
    tx.kind === 'deposit'
      ? { to: tx.deposit.to, value: tx.deposit.value, data: tx.deposit.data, nonce: receipt.depositNonce ?? 0n }
      : {
          to: tx.tx.to ? (tx.tx.to.toString() as `0x${string}`) : null,
          value: tx.tx.value,
          data: `0x${Buffer.from(tx.tx.data.subarray(0, 4)).toString('hex')}` as const,
          nonce: tx.tx.nonce,
        };
  return {
    hash: tx.hash,
    type: transactionType(tx),
    from: tx.from.toLowerCase() as `0x${string}`,
    to: body.to ? (body.to.toLowerCase() as `0x${string}`) : null,
    contractAddress: receipt.contractAddress,
    value: body.value,
    nonce: body.nonce,
    gasUsed: receipt.gasUsed,
    fee: receipt.gasUsed * receipt.effectiveGasPrice + (receipt.fees?.l1Fee ?? 0n) + (receipt.fees?.operatorFee ?? 0n),
    success: receipt.success,
    selector: body.data.slice(0, 10) as `0x${string}`,
  };
};
