import type { Address } from 'viem';
import { AccountTable } from './accountTable.ts';
import { ContributionTable } from './contributionTable.ts';
import type { Receipt } from './creditSink.ts';
import { Stakes } from './stakes.ts';

export type LedgerRules = { readonly platform: Address };

/** Basis points of an output's amount, in the order in which equal remainders are served. */
export type Split = readonly [owner: bigint, runner: bigint, contributors: bigint, stakers: bigint, platform: bigint];

/** Version 1, set by the contract at genesis and therefore in no block. */
export const defaultSplit: Split = [3000n, 3000n, 3000n, 1000n, 0n];

/** Rows of a training's output: who is paid for answers without evidence of their own. */
export type TrainingOutput = {
  readonly place: Receipt;
  readonly before: bigint;
  readonly weight: bigint;
  readonly contributionIds: Float64Array;
  readonly weights: Float64Array;
};
export type Training = {
  readonly batch: number;
  readonly outputs: readonly TrainingOutput[];
  /** Of their fee weights. */
  readonly total: bigint;
};

/** Everything that dividing a settlement needs to know, as it stands at the end of a block. */
export type LedgerState = {
  readonly accounts: AccountTable;
  readonly contributions: ContributionTable;
  readonly modelOwners: Map<number, number>;
  /** adapter -> what it was trained on */
  readonly modelParents: Map<number, number>;
  /** adapter -> the job that made it */
  readonly modelJobs: Map<number, number>;
  readonly trainings: Map<number, Training>;
  readonly requesters: Map<bigint, Address>;
  readonly stakes: Stakes;
  readonly splits: Map<number, Split>;
  readonly platform: number;
  /** Sum of all settled amounts; equals the sum of all credits at any time. */
  settled: bigint;
};

export const initialLedger = (rules: LedgerRules): LedgerState => {
  const accounts = new AccountTable();
  return {
    accounts,
    contributions: new ContributionTable(),
    modelOwners: new Map(),
    modelParents: new Map(),
    modelJobs: new Map(),
    trainings: new Map(),
    requesters: new Map(),
    stakes: new Stakes(accounts),
    splits: new Map([[1, defaultSplit]]),
    platform: accounts.number(rules.platform),
    settled: 0n,
  };
};
