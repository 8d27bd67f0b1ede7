import type { Address, Hash } from 'viem';
import type { ForkSchedule } from './forks.ts';

export type BlockId = { readonly hash: Hash; readonly number: bigint };

/** What L1's SystemConfig says; part of L1 attributes (specs/protocol/system-config.md). */
export type SystemConfig = {
  readonly batcherAddress: Address;
  readonly gasLimit: bigint;
  readonly baseFeeScalar: number;
  readonly blobBaseFeeScalar: number;
  readonly operatorFeeScalar: number;
  readonly operatorFeeConstant: bigint;
  readonly daFootprintGasScalar: number;
  readonly eip1559Denominator: number;
  readonly eip1559Elasticity: number;
  readonly minBaseFee: bigint;
};

/** A chain, as op-node's rollup.json describes one. Times in seconds. */
export type RollupConfig = {
  readonly l1ChainId: number;
  readonly l2ChainId: number;
  readonly blockTime: bigint;
  readonly maxSequencerDrift: bigint;
  readonly sequencerWindowSize: bigint;
  readonly channelTimeout: bigint;
  readonly genesis: {
    readonly l1: BlockId;
    readonly l2: BlockId;
    readonly l2Time: bigint;
    readonly systemConfig: SystemConfig;
  };
  readonly forks: ForkSchedule;
  readonly batchInboxAddress: Address;
  readonly depositContractAddress: Address;
  readonly l1SystemConfigAddress: Address;
};

/** Contracts of a network on L1. */
export type L1Contracts = {
  readonly open: Address;
  readonly optimismPortal: Address;
  readonly systemConfig: Address;
  readonly l2OutputOracle: Address;
  readonly l1CrossDomainMessenger: Address;
  readonly l1StandardBridge: Address;
  readonly superchainConfig: Address;
};
