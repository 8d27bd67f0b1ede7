import type { BlockId } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';

/** What the next block's gas costs, wei. */
export type L1Fees = { readonly baseFee: bigint; readonly tip: bigint; readonly blobBaseFee: bigint };

export type L1Inclusion = {
  readonly block: BlockId;
  readonly success: boolean;
  /** Wei of ETH that the sender paid, blobs included. */
  readonly cost: bigint;
};

/** What a sender of L1 transactions asks of L1. @throws L1_UNAVAILABLE of every method */
export type L1Sender = {
  chainId(): Promise<number>;
  /** The number of transactions that the latest block knows. */
  nonce(address: Address): Promise<bigint>;
  balance(address: Address): Promise<bigint>;
  fees(): Promise<L1Fees>;
  /** Resolves when the endpoint has it, also when it had it before. @throws L1_TX_NONCE_USED, L1_TX_UNDERPRICED, L1_INSUFFICIENT_FUNDS, L1_TX_REFUSED */
  sendRaw(raw: Hex): Promise<void>;
  /** Whether it waits in the endpoint's pool or is in a block. */
  isKnown(hash: Hex): Promise<boolean>;
  /** Where it is in the canonical chain. */
  inclusion(hash: Hex): Promise<L1Inclusion | undefined>;
  head(): Promise<BlockId>;
};
