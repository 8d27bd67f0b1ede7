import type { ChainEvent, EventArgs } from '@openledger/event-log';
import type { Address, Hex } from 'viem';
import { largestRemainder, type Share } from './largestRemainder.ts';

export type Role = 'owner' | 'runner' | 'contributors' | 'stakers' | 'platform' | 'refund';

/** One reason why somebody is owed something: the trace that `explain` prints. */
export type Credit = {
  readonly account: Address;
  readonly role: Role;
  /** Wei of OPEN. */
  readonly amount: bigint;
  readonly settlement: string;
  readonly outputId: Hex | null;
  readonly contributionIds: readonly bigint[];
};

type Output = EventArgs<'OutputRecorded'> & { readonly rows: { contributionId: bigint; weight: bigint }[] };
type Split = Readonly<Record<'owner' | 'runner' | 'contributors' | 'stakers' | 'platform', number>>;

/** Version 1, set by the contract at genesis and therefore in no block. Basis points. */
export const defaultSplit: Split = { owner: 3000, runner: 3000, contributors: 3000, stakers: 1000, platform: 0 };

export type LedgerState = {
  readonly contributors: Map<bigint, Address>;
  readonly modelOwners: Map<bigint, Address>;
  /** adapter id -> rows of the training that made it, the fallback when an output has no evidence of its own */
  readonly trainingRows: Map<bigint, Output['rows']>;
  readonly jobs: Map<bigint, { requester: Address; adapterId: bigint }>;
  readonly outputs: Map<bigint, Output[]>;
  /** runner -> staker -> stake; the runner's bond counts as its own stake. */
  readonly stakes: Map<Address, Map<Address, bigint>>;
  readonly bonds: Map<Address, bigint>;
  readonly splits: Map<number, Split>;
  readonly entitlements: Map<Address, bigint>;
  /** Sum of all settled amounts; equals the sum of entitlements at any time. */
  settled: bigint;
};

export const initialLedger = (): LedgerState => ({
  contributors: new Map(),
  modelOwners: new Map(),
  trainingRows: new Map(),
  jobs: new Map(),
  outputs: new Map(),
  stakes: new Map(),
  bonds: new Map(),
  splits: new Map([[1, defaultSplit]]),
  entitlements: new Map(),
  settled: 0n,
});

export type LedgerRules = { readonly platform: Address };

/**
 * Folds one event into the ledger and returns the credits that it makes. Integers only and in the log's order, so that
 * anybody who has the event log gets the same entitlements.
 */
export const evolveLedger = (state: LedgerState, event: ChainEvent, rules: LedgerRules): Credit[] => {
  switch (event.type) {
    case 'ContributionSubmitted':
      state.contributors.set(event.args.contributionId, event.args.contributor);
      return [];
    case 'BaseModelRegistered':
      state.modelOwners.set(event.args.modelId, event.args.owner);
      return [];
    case 'AdapterRegistered': {
      state.modelOwners.set(event.args.modelId, event.args.owner);
      const job = state.jobs.get(event.args.jobId);
      if (job) job.adapterId = event.args.modelId;
      return [];
    }
    case 'ModelOwnershipTransferred':
      state.modelOwners.set(event.args.modelId, event.args.to);
      return [];
    case 'JobRequested':
      state.jobs.set(event.args.jobId, { requester: event.args.requester, adapterId: 0n });
      return [];
    case 'SplitSet': {
      const { version, ...split } = event.args;
      state.splits.set(version, split);
      return [];
    }
    case 'BondChanged':
      state.bonds.set(event.args.runner, event.args.bond);
      return [];
    case 'StakeChanged': {
      const stakers = state.stakes.get(event.args.runner) ?? new Map<Address, bigint>();
      stakers.set(event.args.staker, event.args.stake);
      state.stakes.set(event.args.runner, stakers);
      return [];
    }
    case 'OutputRecorded': {
      const batch = state.outputs.get(event.args.batchIndex) ?? [];
      batch.push({ ...event.args, rows: [] });
      state.outputs.set(event.args.batchIndex, batch);
      return [];
    }
    case 'AttributionRecorded': {
      const { batchIndex, outputId, contributionId, weight } = event.args;
      const output = state.outputs.get(batchIndex)?.at(-1);
      if (output?.outputId === outputId) output.rows.push({ contributionId, weight });
      return [];
    }
    case 'JobSettled': {
      const { jobId, runner, amount, batchIndex, splitVersion } = event.args;
      const job = state.jobs.get(jobId);
      const outputs = takeOutputs(state, batchIndex, 1, jobId);
      if (job)
        state.trainingRows.set(
          job.adapterId,
          outputs.flatMap(({ rows }) => rows),
        );
      return settle(
        state,
        { source: `job ${jobId}`, outputs, runner, payer: job?.requester ?? runner, amount, splitVersion },
        rules,
      );
    }
    case 'ChannelSettled': {
      const { channelId, runner, payer, amount, batchIndex, splitVersion } = event.args;
      const outputs = takeOutputs(state, batchIndex, 2, channelId);
      return settle(state, { source: `channel ${channelId}`, outputs, runner, payer, amount, splitVersion }, rules);
    }
    default:
      return [];
  }
};

const takeOutputs = (state: LedgerState, batchIndex: bigint, kind: number, sourceId: bigint): Output[] =>
  (state.outputs.get(batchIndex) ?? []).filter((output) => output.sourceKind === kind && output.sourceId === sourceId);

type Settlement = {
  source: string;
  outputs: readonly Output[];
  runner: Address;
  payer: Address;
  amount: bigint;
  splitVersion: number;
};

/** Divides a settled amount over its outputs by their fee weights, then each output's part over the roles. */
const settle = (state: LedgerState, settlement: Settlement, rules: LedgerRules): Credit[] => {
  const { source, outputs, payer, amount } = settlement;
  const known = outputs.filter((output) => state.modelOwners.has(output.modelId));
  const byOutput = largestRemainder(
    amount,
    known.map(({ outputId, feeWeight }) => ({ key: outputId, weight: feeWeight })),
  );
  const credits: Credit[] = [];
  if (byOutput.size === 0) {
    // Money that came with no valid record of what it was for goes back to whoever paid.
    credits.push({ account: payer, role: 'refund', amount, settlement: source, outputId: null, contributionIds: [] });
  }
  for (const output of known) {
    const part = byOutput.get(output.outputId) ?? 0n;
    if (part > 0n) credits.push(...divide(state, settlement, output, part, rules));
  }
  for (const { account, amount: part } of credits) {
    state.entitlements.set(account, (state.entitlements.get(account) ?? 0n) + part);
  }
  state.settled += amount;
  return credits;
};

const divide = (
  state: LedgerState,
  settlement: Settlement,
  output: Output,
  amount: bigint,
  rules: LedgerRules,
): Credit[] => {
  const split = state.splits.get(settlement.splitVersion) ?? defaultSplit;
  const owner = state.modelOwners.get(output.modelId) ?? settlement.payer;
  const roles = largestRemainder(
    amount,
    // Keys carry the order in which equal remainders are served.
    (['owner', 'runner', 'contributors', 'stakers', 'platform'] as const).map((role, index) => ({
      key: `${index}${role}`,
      weight: BigInt(split[role]),
    })),
  );
  const part = (index: number, role: Exclude<Role, 'refund'>): bigint => roles.get(`${index}${role}`) ?? 0n;
  const credit = (role: Role, shares: Map<Address, bigint>, contributions?: Map<Address, bigint[]>): Credit[] =>
    [...shares]
      .filter(([, value]) => value > 0n)
      .map(([account, value]) => ({
        account,
        role,
        amount: value,
        settlement: settlement.source,
        outputId: output.outputId,
        contributionIds: contributions?.get(account) ?? [],
      }));
  const { shares, contributions } = contributorShares(state, output, owner);
  return [
    ...credit('owner', new Map([[owner, part(0, 'owner')]])),
    ...credit('runner', new Map([[settlement.runner, part(1, 'runner')]])),
    ...credit('contributors', largestRemainder(part(2, 'contributors'), shares), contributions),
    ...credit('stakers', largestRemainder(part(3, 'stakers'), stakerShares(state, settlement.runner))),
    ...credit('platform', new Map([[lowercase(rules.platform), part(4, 'platform')]])),
  ];
};

/** Addresses of events are lowercase, those of a configuration may carry a checksum. */
const lowercase = (address: Address): Address => address.toLowerCase() as Address;

/** The output's evidence; without any, the training of its adapter; without that (a bare base model), the model's owner. */
const contributorShares = (
  state: LedgerState,
  output: Output,
  owner: Address,
): { shares: Share<Address>[]; contributions: Map<Address, bigint[]> } => {
  const usable = (rows: Output['rows']) => rows.filter(({ contributionId }) => state.contributors.has(contributionId));
  const evidence = usable(output.rows);
  const rows = evidence.length > 0 ? evidence : usable(state.trainingRows.get(output.modelId) ?? []);
  if (rows.length === 0) return { shares: [{ key: owner, weight: 1n }], contributions: new Map() };
  const contributions = new Map<Address, bigint[]>();
  const shares = rows.map(({ contributionId, weight }) => {
    const key = state.contributors.get(contributionId) ?? owner;
    contributions.set(key, [...(contributions.get(key) ?? []), contributionId]);
    return { key, weight };
  });
  return { shares, contributions };
};

const stakerShares = (state: LedgerState, runner: Address): Share<Address>[] => {
  const shares = [...(state.stakes.get(runner) ?? [])].map(([key, weight]) => ({ key, weight }));
  shares.push({ key: runner, weight: state.bonds.get(runner) ?? 0n });
  // A runner that was slashed to nothing still keeps the sum whole.
  return shares.some(({ weight }) => weight > 0n) ? shares : [{ key: runner, weight: 1n }];
};
