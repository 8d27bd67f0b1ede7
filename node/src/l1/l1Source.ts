import type { BlockId } from '@openledger/chain-config';
import { type Address, createPublicClient, type Hex, http, type PublicClient } from 'viem';
import { nodeError } from '../errors.ts';
import { blobBaseFeeOf } from './blobBaseFee.ts';

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

const ZERO: Hex = `0x${'00'.repeat(32)}`;

type RpcBlock = Awaited<ReturnType<PublicClient['getBlock']>>;

const toL1Block = (block: RpcBlock): L1Block => {
  if (block.number === null || block.hash === null) throw nodeError('L1_BAD_DATA', 'L1 answered with a pending block');
  return {
    number: block.number,
    hash: block.hash,
    parentHash: block.parentHash,
    timestamp: block.timestamp,
    baseFee: block.baseFeePerGas ?? 0n,
    blobBaseFee: blobBaseFeeOf(block.excessBlobGas ?? 0n),
    prevRandao: block.mixHash ?? ZERO,
    parentBeaconBlockRoot: block.parentBeaconBlockRoot ?? ZERO,
  };
};

/** L1 over JSON-RPC. @throws L1_UNAVAILABLE on transport errors, L1_BAD_DATA on answers that contradict themselves. */
export const createL1RpcSource = (options: { url: string; portal: Address }): L1Source => {
  const client = createPublicClient({ transport: http(options.url, { batch: true, retryCount: 2, timeout: 10_000 }) });
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw nodeError('L1_UNAVAILABLE', 'the L1 endpoint does not answer', {}, cause);
    }
  };
  const optional = async (work: Promise<RpcBlock>): Promise<L1Block | undefined> => {
    try {
      return toL1Block(await work);
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'BlockNotFoundError') return undefined;
      throw nodeError('L1_UNAVAILABLE', 'the L1 endpoint does not answer', {}, cause);
    }
  };
  return {
    head: async (blockTag) => toL1Block(await guarded(client.getBlock({ blockTag }))),
    blockByNumber: (blockNumber) => optional(client.getBlock({ blockNumber })),
    blockByHash: (blockHash) => optional(client.getBlock({ blockHash })),
    transactions: async () => {
      throw nodeError('L1_UNAVAILABLE', 'not read yet');
    },
    receipts: async (block) => {
      const receipts = await guarded(
        client.request({ method: 'eth_getBlockReceipts' as never, params: [block.hash] as never }) as Promise<
          RpcReceipt[]
        >,
      );
      return receipts.map(({ status, logs }) => ({
        success: status === '0x1',
        logs: logs.map(({ address, topics, data, logIndex }) => ({
          address,
          topics,
          data,
          logIndex: BigInt(logIndex),
        })),
      }));
    },
    blobs: async () => {
      throw nodeError('L1_UNAVAILABLE', 'not read yet');
    },
  };
};

type RpcReceipt = { status: Hex; logs: { address: Address; topics: Hex[]; data: Hex; logIndex: Hex }[] };
