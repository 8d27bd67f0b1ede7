import { getAddress, numberToHex } from 'viem';
import type { SignedL2Transaction } from '../../primitives/transaction.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import { formatTransaction, type Json } from '../format.ts';
import { toAddress } from '../params.ts';

/** geth's view of the transactions that wait. */
export const txpoolMethods = (chain: ChainReader): Methods => ({
  txpool_status: async () => {
    const { pending, queued } = await chain.mempool.content();
    return { pending: numberToHex(pending.length), queued: numberToHex(queued.length) };
  },
  txpool_content: async () => {
    const { pending, queued } = await chain.mempool.content();
    return { pending: bySender(pending), queued: bySender(queued) };
  },
  txpool_contentFrom: async (params) => {
    const sender = toAddress(params, 0);
    const { pending, queued } = await chain.mempool.content();
    const of = (all: readonly SignedL2Transaction[]) =>
      byNonce(all.filter(({ from }) => from.toLowerCase() === sender));
    return { pending: of(pending), queued: of(queued) };
  },
  txpool_inspect: async () => {
    const { pending, queued } = await chain.mempool.content();
    return { pending: bySender(pending, summary), queued: bySender(queued, summary) };
  },
});

type Show = (transaction: SignedL2Transaction) => Json;

const bySender = (transactions: readonly SignedL2Transaction[], show: Show = formatTransaction): Json =>
  Object.fromEntries(
    [...new Set(transactions.map(({ from }) => from))].map((sender) => [
      getAddress(sender),
      byNonce(
        transactions.filter(({ from }) => from === sender),
        show,
      ),
    ]),
  );

const byNonce = (transactions: readonly SignedL2Transaction[], show: Show = formatTransaction): Json =>
  Object.fromEntries(transactions.map((transaction) => [transaction.tx.nonce.toString(), show(transaction)]));

const summary: Show = ({ tx }) => {
  const price = 'maxFeePerGas' in tx ? tx.maxFeePerGas : tx.gasPrice;
  return `${tx.to?.toString() ?? 'contract creation'}: ${tx.value} wei + ${tx.gasLimit} gas × ${price} wei`;
};
