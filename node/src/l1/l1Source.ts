import type { BlockId } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';

/** An L1 block as L2 needs it. Fees in wei of ETH. */
export type L1Block = BlockId & {
  readonly parentHash: Hex;
  readonly timestamp: bigint;
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  readonly prevRandao: Hex;
  readonly parentBeaconBlockRoot: Hex;
};

/** A transaction of an L1 block, as far as data availability needs it. */
export type L1Transaction = {
  readonly hash: Hex;
  readonly type: number;
  readonly from: Address;
  readonly to: Address | null;
  readonly input: Hex;
  readonly blobVersionedHashes: readonly Hex[];
};

export type L1Log = {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  /** In the block. */
  readonly logIndex: bigint;
};

export type L1Receipt = { readonly success: boolean; readonly logs: readonly L1Log[] };

/**
 * What sequencer, derivation and batcher ask of L1; the tests' L1 simulator is another implementation. An implementation
 * vouches for what it answers: headers by hash, transactions and receipts by their roots, blobs by their versioned hashes.
 * `undefined` means that L1 has no such block.
 */
export type L1Source = {
  head(tag: 'latest' | 'safe' | 'finalized'): Promise<L1Block>;
  blockByNumber(number: bigint): Promise<L1Block | undefined>;
  blockByHash(hash: Hex): Promise<L1Block | undefined>;
  transactions(block: BlockId): Promise<readonly L1Transaction[]>;
  receipts(block: BlockId): Promise<readonly L1Receipt[]>;
  /** The blobs (131,072 bytes each) with these versioned hashes, in this order. */
  blobs(block: L1Block, versionedHashes: readonly Hex[]): Promise<readonly Uint8Array[]>;
};
