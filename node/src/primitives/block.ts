import type { BlockId } from '@openledger/chain-config';
import type { Hex } from 'viem';
import type { Header } from './header.ts';
import type { Receipt } from './receipt.ts';
import type { L2Transaction } from './transaction.ts';

/** A block with everything the store keeps of it. */
export type Block = {
  readonly hash: Hex;
  readonly header: Header;
  readonly transactions: readonly L2Transaction[];
  readonly receipts: readonly Receipt[];
  /** Of the L1 attributes deposit. Genesis has the rollup's L1 genesis block and 0. */
  readonly l1Origin: BlockId;
  readonly sequenceNumber: bigint;
};
