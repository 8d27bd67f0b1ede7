import type { Address } from 'viem';
import { packFeeScalars } from './feeScalars.ts';
import { allForksAtGenesis } from './forks.ts';
import type { SystemConfig } from './rollupConfig.ts';

/** Roles of the devnet, by index of the well-known test mnemonic's accounts. Refused off dev chains. */
export const DEVNET_MNEMONIC = 'test test test test test test test test test test test junk';
export const devnetRoles = {
  deployer: 0,
  governance: 1,
  batcher: 2,
  proposer: 3,
  runner: 4,
  distributor: 5,
  modelBuilder: 6,
  ana: 7,
  bo: 8,
  chi: 9,
} as const;

export const devnet = {
  l1ChainId: 900,
  l2ChainId: 16120,
  /** Seconds. */
  l1BlockTime: 2,
  l2BlockTime: 1,
  maxSequencerDrift: 1800n,
  sequencerWindowSize: 3600n,
  channelTimeout: 50n,
  forks: allForksAtGenesis,
  eip1559: { elasticity: 6, denominator: 50, denominatorCanyon: 250 },
  batchInboxAddress: '0xff00000000000000000000000000000000016120' as Address,
  systemConfig: {
    gasLimit: 60_000_000n,
    // OPEN pays for L1 data, but L1's base fee is in ETH: the scalars carry the price of ETH in OPEN.
    overhead: 0n,
    scalar: packFeeScalars({ baseFeeScalar: 1368, blobBaseFeeScalar: 810_949 }),
    operatorFeeScalar: 0,
    operatorFeeConstant: 0n,
    // A devnet's L1 has room: a quarter of the mainnet default, so that the lane is bounded by gas and not by data.
    daFootprintGasScalar: 100,
    eip1559Denominator: 250,
    eip1559Elasticity: 6,
    minBaseFee: 100_000n,
  } satisfies Omit<SystemConfig, 'batcherAddress'>,
  /** Wei of OPEN; seconds; the beacon delay in L2 blocks. */
  economics: {
    minBond: 10n ** 18n,
    // Longer than all of an audit: 10 + 8,191 blocks until it is opened at the latest, the report and the votes.
    unbondingSeconds: 10_800n,
    rewardBond: 10n ** 18n,
    disputeWindow: 5n,
    rewardRequestFee: 10n ** 16n,
    rewardResponseWindow: 5n,
    closeDelay: 30n,
    audits: {
      inferenceRateBps: 500,
      trainingRateBps: 2_000,
      faultBps: 5_000,
      missBps: 100,
      beaconDelay: 10,
      reportSeconds: 600n,
      voteSeconds: 600n,
    },
  },
  ports: { l1: 7545, l2: 8545, graphql: 4000, runner: 8000 },
} as const;
