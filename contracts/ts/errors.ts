import type { Abi } from 'viem';
import { attributionLedgerAbi } from './generated/AttributionLedger.ts';
import { auditsAbi } from './generated/Audits.ts';
import { datanetsAbi } from './generated/Datanets.ts';
import { gasPriceOracleAbi } from './generated/GasPriceOracle.ts';
import { jobsAbi } from './generated/Jobs.ts';
import { l1BlockAbi } from './generated/L1Block.ts';
import { modelsAbi } from './generated/Models.ts';
import { openAbi } from './generated/Open.ts';
import { operatorFeeVaultAbi } from './generated/OperatorFeeVault.ts';
import { provenanceAbi } from './generated/Provenance.ts';
import { rewardDisputesAbi } from './generated/RewardDisputes.ts';
import { rewardRecomputeAbi } from './generated/RewardRecompute.ts';
import { rewardsAbi } from './generated/Rewards.ts';
import { stakingAbi } from './generated/Staking.ts';

type AbiError = Extract<Abi[number], { type: 'error' }>;

const abis: Abi[] = [
  jobsAbi,
  modelsAbi,
  datanetsAbi,
  attributionLedgerAbi,
  rewardsAbi,
  rewardRecomputeAbi,
  rewardDisputesAbi,
  stakingAbi,
  provenanceAbi,
  auditsAbi,
  l1BlockAbi,
  gasPriceOracleAbi,
  operatorFeeVaultAbi,
  openAbi,
];

/**
 * Every custom error of every contract, once. A call reverts with the error of whichever contract refused it (a training
 * commit with WeightsTaken of Models, for instance), which the called contract's own ABI doesn't know.
 */
export const contractErrorsAbi: readonly AbiError[] = [
  ...new Map(
    abis
      .flatMap((abi) => abi.filter((item) => item.type === 'error'))
      .map((error) => [`${error.name}(${error.inputs.map((input) => input.type)})`, error] as const),
  ).values(),
];
