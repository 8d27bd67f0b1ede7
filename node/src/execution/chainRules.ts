import type { Block as EvmBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import type { VM } from '@ethereumjs/vm';
import type { BlockId } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';
import type { Withdrawal } from '../primitives/block.ts';
import type { Header } from '../primitives/header.ts';
import type { L2Transaction } from '../primitives/transaction.ts';
import type { StateView } from '../state/stateStore.ts';
import type { BlockExecution } from './blockExecution.ts';

/** What forks are chosen by: rollups look at the timestamp, Ethereum before its merge at the number. */
export type BlockTime = { readonly number: bigint; readonly timestamp: bigint };

/** What the driver (sequencer, derivation, Engine API) decides about a block. */
export type BlockAttributes = {
  readonly timestamp: bigint;
  readonly gasLimit: bigint;
  readonly prevRandao: Hex;
  readonly feeRecipient: Address;
  /** Of the L1 origin; on a rollup since Ecotone. */
  readonly parentBeaconBlockRoot?: Hex;
  readonly extraData: Hex;
  /** Plain Ethereum only: withdrawals since Shanghai; uncles, difficulty and nonce before the merge. */
  readonly withdrawals?: readonly Withdrawal[];
  readonly uncles?: readonly Header[];
  readonly difficulty?: bigint;
  readonly nonce?: Hex;
};

export type BlockHashes = { hashOf(number: bigint): Promise<Hex | undefined> };

export type BeginOptions = {
  readonly view: StateView;
  readonly parent: Header;
  readonly attributes: BlockAttributes;
  readonly blockHashes: BlockHashes;
};

/** What a block environment needs of a header. */
export type EnvironmentHeader = Pick<
  Header,
  'miner' | 'number' | 'gasLimit' | 'timestamp' | 'mixHash' | 'difficulty' | 'baseFeePerGas' | 'excessBlobGas'
>;

/** What a transaction costs beside execution gas, in wei, and the part of the block's data availability that it takes. */
export type DataFees = { readonly l1Fee: bigint; readonly operatorFee: bigint; readonly daFootprint: bigint };

/**
 * A chain's consensus rules. `OpRules` are a rollup's, `EthereumRules` those of L1 and its test chains; everything above
 * (engine, mempool, rpc) asks here and never for a fork.
 */
export interface ChainRules {
  readonly chainId: number;
  /** The EVM's rules in a block. */
  commonAt(block: BlockTime): Common;
  /** @throws TX_*: the bytes are no transaction of a chain at this time. */
  decodeTransaction(raw: Hex, block: BlockTime): L2Transaction;
  /** Wei per gas of the block after `parent`; undefined before London. */
  nextBaseFee(parent: Header, timestamp: bigint): bigint | undefined;
  /** Wei per gas that a transaction must at least offer to be worth keeping. */
  minBaseFee(head: Header): bigint;
  /** Wei per blob gas in a block with this header; undefined before Cancun. */
  blobBaseFee(header: Header): bigint | undefined;
  /** The same of the block after `parent`. */
  nextBlobBaseFee(parent: Header): bigint | undefined;
  /** The most that blobGasUsed of a block with this header can be; what a fee history's ratio is of. */
  maxBlobGas(header: Header): bigint;
  dataFees(
    state: MerkleStateManager,
    transaction: Pick<L2Transaction, 'raw'>,
    gas: bigint,
    block: BlockTime,
  ): Promise<DataFees>;
  /** An EVM over `state` in the environment of a block. */
  createVm(state: MerkleStateManager, header: EnvironmentHeader, blockHashes: BlockHashes): Promise<BlockVm>;
  /** @throws BLOCK_INVALID when no block with these attributes can follow the parent. */
  begin(options: BeginOptions): Promise<BlockExecution>;
  /** Where on L1 a block comes from. Plain Ethereum has no L1: the zero block. */
  l1OriginOf(transactions: readonly L2Transaction[]): { readonly origin: BlockId; readonly sequenceNumber: bigint };
}

export type BlockVm = { readonly vm: VM; readonly block: EvmBlock };
