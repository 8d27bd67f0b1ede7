import { predeploys } from '@openledger/chain-config';
import { rewardDisputesAbi, rewardRecomputeAbi, rewardsAbi } from '@openledger/contracts';
import type { Abi } from 'viem';
import type { Call } from './challenge/challengeCalls.ts';

const caller =
  (name: 'rewards' | 'rewardDisputes' | 'rewardRecompute', abi: Abi) =>
  (functionName: string, ...args: readonly unknown[]): Call => ({ address: predeploys[name], abi, functionName, args });

export const rewardsCall = caller('rewards', rewardsAbi);
export const disputesCall = caller('rewardDisputes', rewardDisputesAbi);
export const recomputeCall = caller('rewardRecompute', rewardRecomputeAbi);
