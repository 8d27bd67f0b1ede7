import { type PredeployName, predeploys } from '@openledger/chain-config';
import {
  attributionLedgerAbi,
  auditsAbi,
  contractErrorsAbi,
  datanetsAbi,
  jobsAbi,
  modelsAbi,
  provenanceAbi,
  rewardDisputesAbi,
  rewardRecomputeAbi,
  rewardsAbi,
  stakingAbi,
} from '@openledger/contracts';
import type { Abi, Address } from 'viem';

/** Address and ABI of each predeploy, ready to be spread into viem's readContract and writeContract. */
export const contracts = {
  datanets: { address: predeploys.datanets, abi: datanetsAbi },
  models: { address: predeploys.models, abi: modelsAbi },
  jobs: { address: predeploys.jobs, abi: jobsAbi },
  attributionLedger: { address: predeploys.attributionLedger, abi: attributionLedgerAbi },
  rewards: { address: predeploys.rewards, abi: rewardsAbi },
  staking: { address: predeploys.staking, abi: stakingAbi },
  provenance: { address: predeploys.provenance, abi: provenanceAbi },
  rewardRecompute: { address: predeploys.rewardRecompute, abi: rewardRecomputeAbi },
  rewardDisputes: { address: predeploys.rewardDisputes, abi: rewardDisputesAbi },
  audits: { address: predeploys.audits, abi: auditsAbi },
} as const satisfies Record<PredeployName, { address: Address; abi: Abi }>;

/** All custom errors of all predeploys: a call to one may bubble up the error of another. */
export const allErrors: Abi = contractErrorsAbi as Abi;
