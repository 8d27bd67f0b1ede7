import type { BlockId } from '@openledger/chain-config';
import { type Hex, hexToBigInt, numberToHex } from 'viem';
import { nodeError } from '../errors.ts';
import { ZERO_HASH } from '../primitives/header.ts';
import { createBeaconClient } from './beaconClient.ts';
import { type BlobSchedule, blobBaseFeeOf, blobScheduleOf, updateFractionAt } from './blobBaseFee.ts';
import { createL1Rpc, type FetchLimits, L1RequestRefused, METHOD_NOT_FOUND, orUnavailable } from './l1Rpc.ts';
import type { L1Block, L1Receipt, L1Source, L1Transaction } from './l1Source.ts';
import { LruCache } from './lruCache.ts';
import type { RpcBlock, RpcHeader, RpcReceipt, RpcTransaction } from './rpcTypes.ts';
import { l1Receipts, l1Transaction, verifyL1Block, verifyL1Header, verifyL1Receipts } from './verifyL1Block.ts';

export type L1RpcSourceOptions = {
  url: string;
  /** Beacon API of the same L1; anvil's is its RPC URL. Without it there are no blobs. */
  beaconUrl?: string;
  /** Takes the endpoint at its word: nothing but blobs is recomputed. For an own node on the same machine. */
  trustRpc?: boolean;
  /** By default that of the chain id which the endpoint states. */
  blobSchedule?: BlobSchedule;
  /** Blocks whose headers, transactions and receipts are kept. */
  cachedBlocks?: number;
  limits?: FetchLimits;
};

const DEFAULT_CACHED_BLOCKS = 256;

/** L1 over JSON-RPC and the beacon API, every answer checked against the hash it was asked by. @throws L1_UNAVAILABLE, L1_BAD_DATA */
export const createL1RpcSource = (options: L1RpcSourceOptions): L1Source => {
  const { trustRpc = false, cachedBlocks = DEFAULT_CACHED_BLOCKS } = options;
  const rpc = createL1Rpc(options.url, options.limits);
  const beacon = options.beaconUrl ? createBeaconClient(options.beaconUrl, options.limits) : undefined;
  const headers = new LruCache<Hex, RpcHeader>(cachedBlocks);
  const transactions = new LruCache<Hex, readonly L1Transaction[]>(cachedBlocks);
  const receipts = new LruCache<Hex, readonly L1Receipt[]>(cachedBlocks);
  let schedule = options.blobSchedule;

  const ask = <T>(method: string, ...params: unknown[]): Promise<T> => rpc<T>(method, params).catch(orUnavailable);

  const toL1Block = async (header: RpcHeader): Promise<L1Block> => {
    schedule ??= blobScheduleOf(Number(await ask<Hex>('eth_chainId')));
    const timestamp = hexToBigInt(header.timestamp);
    return {
      number: hexToBigInt(header.number),
      hash: header.hash,
      parentHash: header.parentHash,
      timestamp,
      baseFee: BigInt(header.baseFeePerGas ?? 0),
      // EIP-4844's fee exists since Cancun; before it the L2 takes 1 (ecotone/l1-attributes.md).
      blobBaseFee: blobBaseFeeOf(BigInt(header.excessBlobGas ?? 0), updateFractionAt(schedule, timestamp)),
      prevRandao: header.mixHash,
      parentBeaconBlockRoot: header.parentBeaconBlockRoot ?? ZERO_HASH,
    };
  };

  /** `null` is L1's word for a block that it doesn't have; geth says so with an error for tags and unknown numbers. */
  const askHeader = async (method: string, id: Hex | string): Promise<RpcHeader | undefined> => {
    const header = await ask<RpcBlock | null>(method, id, false);
    if (!header) return undefined;
    if (!trustRpc) await verifyL1Header(header);
    headers.set(header.hash, header);
    return header;
  };

  const headerOf = async (hash: Hex): Promise<RpcHeader | undefined> => {
    const header = headers.get(hash) ?? (await askHeader('eth_getBlockByHash', hash));
    if (header && header.hash !== hash) throw nodeError('L1_BAD_DATA', 'L1 answered with another block', { hash });
    return header;
  };

  const requireHeader = async (hash: Hex): Promise<RpcHeader> => {
    const header = await headerOf(hash);
    if (!header) throw nodeError('L1_UNAVAILABLE', 'L1 no longer has a block that it had', { hash });
    return header;
  };

  const readTransactions = async ({ hash }: BlockId): Promise<readonly L1Transaction[]> => {
    const block = await ask<RpcBlock | null>('eth_getBlockByHash', hash, true);
    if (!block) throw nodeError('L1_UNAVAILABLE', 'L1 no longer has a block that it had', { hash });
    if (block.hash !== hash) throw nodeError('L1_BAD_DATA', 'L1 answered with another block', { hash });
    headers.set(hash, block);
    if (trustRpc) return (block.transactions as RpcTransaction[]).map(l1Transaction);
    return verifyL1Block(block);
  };

  /** One request for all; endpoints without it are asked for each transaction's. */
  const askReceipts = async (hash: Hex): Promise<readonly RpcReceipt[]> => {
    try {
      const all = await rpc<RpcReceipt[] | null>('eth_getBlockReceipts', [hash]);
      if (all) return all;
      throw nodeError('L1_UNAVAILABLE', 'L1 no longer has a block that it had', { hash });
    } catch (error) {
      if (!(error instanceof L1RequestRefused && error.code === METHOD_NOT_FOUND)) return orUnavailable(error);
    }
    const each = (await cached(transactions, hash, () => readTransactions({ hash, number: 0n }))).map((tx) =>
      ask<RpcReceipt | null>('eth_getTransactionReceipt', tx.hash),
    );
    return (await Promise.all(each)).map((receipt) => {
      if (receipt) return receipt;
      throw nodeError('L1_UNAVAILABLE', 'L1 lacks a receipt of a block', { hash });
    });
  };

  return {
    head: async (tag) => {
      const header = await askHeader('eth_getBlockByNumber', tag);
      if (!header) throw nodeError('L1_UNAVAILABLE', `L1 has no ${tag} block yet`, { tag });
      return toL1Block(header);
    },
    blockByNumber: async (number) => {
      const header = await askHeader('eth_getBlockByNumber', numberToHex(number));
      if (!header) return undefined;
      const block = await toL1Block(header);
      if (block.number !== number) throw nodeError('L1_BAD_DATA', 'L1 answered with another block', { number });
      return block;
    },
    blockByHash: async (hash) => {
      const header = await headerOf(hash);
      return header && toL1Block(header);
    },
    transactions: (block) => cached(transactions, block.hash, () => readTransactions(block)),
    receipts: (block) =>
      cached(receipts, block.hash, async () => {
        const header = await requireHeader(block.hash);
        const answer = await askReceipts(block.hash);
        return trustRpc ? l1Receipts(answer) : verifyL1Receipts(header, answer);
      }),
    blobs: async (block, versionedHashes) => {
      if (beacon) return beacon.blobs(block, versionedHashes);
      throw nodeError('L1_UNAVAILABLE', 'blobs were asked for, and no beacon endpoint is configured (--l1.beacon)');
    },
  };
};

const cached = async <T>(cache: LruCache<Hex, T>, hash: Hex, read: () => Promise<T>): Promise<T> => {
  const known = cache.get(hash);
  if (known !== undefined) return known;
  const value = await read();
  cache.set(hash, value);
  return value;
};
