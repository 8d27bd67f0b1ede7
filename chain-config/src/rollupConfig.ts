import type { Address, Hash } from 'viem';
import type { ForkSchedule } from './forks.ts';
import type { UpgradeBundle } from './upgradeBundle.ts';

export type BlockId = { readonly hash: Hash; readonly number: bigint };

/** What L1's SystemConfig says; part of L1 attributes (specs/protocol/system-config.md). */
export type SystemConfig = {
  readonly batcherAddress: Address;
  readonly gasLimit: bigint;
  /** Gas added to each transaction's L1 data before Ecotone; zero since. */
  readonly overhead: bigint;
  /** The 256-bit word of SystemConfig: a factor with 6 decimals before Ecotone, packed scalars since (`feeScalars`). */
  readonly scalar: bigint;
  readonly operatorFeeScalar: number;
  readonly operatorFeeConstant: bigint;
  readonly daFootprintGasScalar: number;
  /** Both zero until L1 sets them: the chain's own parameters hold (holocene/exec-engine.md). */
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
  /**
   * L2 time at which a chain that priced blobs by Cancun's rules on a Prague L1 mends that (pectra-blob-schedule/overview.md);
   * absent for chains that never did.
   */
  readonly pectraBlobScheduleTime?: bigint;
  /** What upgrades a chain that meets Karst after its genesis; the OP Stack publishes it, `--karst-bundle` reads it. */
  readonly karstBundle?: UpgradeBundle;
  /** EIP-1559 parameters of the chain, used where blocks or SystemConfig don't state them. */
  readonly eip1559: { readonly elasticity: number; readonly denominator: number; readonly denominatorCanyon: number };
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
