import type { BlockId } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';
import type { Header } from './header.ts';
import type { Receipt } from './receipt.ts';
import type { L2Transaction } from './transaction.ts';

/** EIP-4895; a rollup's blocks carry none. Amount in gwei. */
export type Withdrawal = {
  readonly index: bigint;
  readonly validatorIndex: bigint;
  readonly address: Address;
  readonly amount: bigint;
};

/** A block with everything the store keeps of it. */
export type Block = {
  readonly hash: Hex;
  readonly header: Header;
  readonly transactions: readonly L2Transaction[];
  readonly receipts: readonly Receipt[];
  readonly withdrawals: readonly Withdrawal[];
  /** Headers of stale blocks that a proof-of-work block names; a rollup has none. */
  readonly uncles: readonly Header[];
  /** Of the L1 attributes deposit. Genesis has the rollup's L1 genesis block and 0. */
  readonly l1Origin: BlockId;
  readonly sequenceNumber: bigint;
};

export const blockIdOf = ({ hash, header }: Pick<Block, 'hash' | 'header'>): BlockId => ({
  hash,
  number: header.number,
});
