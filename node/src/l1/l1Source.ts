import type { BlockId } from '@openledger/chain-config';
import { type Address, createPublicClient, type Hex, http, type PublicClient } from 'viem';
import { nodeError } from '../errors.ts';
import type { DepositTransaction } from '../primitives/depositTransaction.ts';
import { blobBaseFeeOf } from './blobBaseFee.ts';
import { depositsFromLogs, TRANSACTION_DEPOSITED_TOPIC } from './deposits.ts';

/** An L1 block as L2 needs it. Fees in wei of ETH. */
export type L1Block = BlockId & {
  readonly parentHash: Hex;
  readonly timestamp: bigint;
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  readonly prevRandao: Hex;
  readonly parentBeaconBlockRoot: Hex;
};

/** What the sequencer and derivation ask of L1; the tests' L1 simulator is another implementation. */
export type L1Source = {
  head(tag: 'latest' | 'safe' | 'finalized'): Promise<L1Block>;
  blockByNumber(number: bigint): Promise<L1Block | undefined>;
  blockByHash(hash: Hex): Promise<L1Block | undefined>;
  /** User deposits of one L1 block, in log order. */
  deposits(block: BlockId): Promise<DepositTransaction[]>;
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
    deposits: async (block) => {
      const logs = await guarded(
        client.request({
          method: 'eth_getLogs',
          params: [{ address: options.portal, topics: [TRANSACTION_DEPOSITED_TOPIC], blockHash: block.hash }],
        }),
      );
      return depositsFromLogs(logs, block.hash);
    },
  };
};
