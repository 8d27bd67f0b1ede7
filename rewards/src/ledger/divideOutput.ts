import { type AttributionPage, outputIdAt } from '@openledger/contracts';
import { clusterShares } from '../rules/clusterShares.ts';
import { largestRemainder } from '../rules/largestRemainder.ts';
import { limits } from '../rules/limits.ts';
import { lineShares } from '../rules/lineShares.ts';
import type { Batch, Settlement } from './batch.ts';
import { clustersOf } from './clusters.ts';
import type { CreditSink, Receipt, Role } from './creditSink.ts';
import { defaultSplit, type LedgerState } from './ledgerState.ts';

export type OutputPart = {
  readonly batch: Batch;
  readonly source: Settlement;
  /** Wei of this output. */
  readonly amount: bigint;
  readonly page: AttributionPage;
  readonly output: number;
};

/** Divides an output's part over owner, runner, contributors, stakers and platform; the same as RewardRecompute.sol. */
export const divideOutput = (state: LedgerState, part: OutputPart, sink: CreditSink): void => {
  const { batch, source, amount, page, output } = part;
  const [from, to] = [page.rowOffsets[output] as number, page.rowOffsets[output + 1] as number];
  const owner = state.modelOwners.get(page.modelIds[output] as number);
  if (owner === undefined || to - from > limits.paidRows) {
    sink.credit(state.accounts.number(source.payer), 'refund', amount, 0);
    return;
  }
  const split = state.splits.get(source.splitVersion) ?? defaultSplit;
  const { parts } = largestRemainder(amount, split);
  const credit = (account: number, role: Exclude<Role, 'contributors' | 'refund'>, value: bigint | undefined) => {
    if (value) sink.credit(account, role, value, 0);
  };
  const line = lineOf(state, page.modelIds[output] as number);
  const inherited = lineShares(parts[0] as bigint, line.length);
  for (let i = 0; i < line.length; i++) credit(line[i] as number, i === 0 ? 'owner' : 'lineage', inherited[i]);
  credit(state.accounts.number(batch.runner), 'runner', parts[1]);
  if (parts[2]) payContributors(state, part, owner, parts[2], sink);
  if (parts[3]) {
    const { accounts, stakes } = state.stakes.of(batch.runner);
    const shares = largestRemainder(parts[3], stakes).parts;
    for (let i = 0; i < accounts.length; i++) credit(accounts[i] as number, 'stakers', shares[i]);
  }
  credit(state.platform, 'platform', parts[4]);
};

/** Owners of a model and of what it was trained on, nearest first. */
const lineOf = (state: LedgerState, modelId: number): number[] => {
  const owners: number[] = [];
  for (let id: number | undefined = modelId; id !== undefined && owners.length < limits.line; ) {
    const owner = state.modelOwners.get(id);
    if (owner === undefined) break;
    owners.push(owner);
    id = state.modelParents.get(id);
  }
  return owners;
};

/** By the output's rows; where it has none, by its adapter's training; where that says nothing either, to the model's owner. */
const payContributors = (
  state: LedgerState,
  { page, output }: OutputPart,
  owner: number,
  amount: bigint,
  sink: CreditSink,
): void => {
  const [from, to] = [page.rowOffsets[output] as number, page.rowOffsets[output + 1] as number];
  let training: Receipt | undefined;
  let clusters = clustersOf(state.contributions, page.contributionIds, page.weights, from, to);
  if (from === to) {
    const found = trainingOf(state, page, output);
    const trained = found?.drawn;
    const rows = trained?.weights.length ?? 0;
    // A training without payable outputs has to be shown too.
    training = found && (trained?.place ?? { batch: found.batch, page: 0, output: 0 });
    if (trained && rows <= limits.paidRows) {
      clusters = clustersOf(state.contributions, trained.contributionIds, trained.weights, 0, rows);
    }
  }
  if (clusters.keys.length === 0) {
    sink.witness?.({ lastServed: 0, training });
    sink.credit(owner, 'contributors', amount, 0);
    return;
  }
  const { parts, lastServed } = clusterShares(amount, clusters.weights, clusters.keys);
  sink.witness?.({ lastServed, training });
  for (let i = 0; i < parts.length; i++) {
    const cluster = clusters.keys[i] as number;
    const value = parts[i] as bigint;
    if (value > 0n) sink.credit(state.contributions.payee(cluster), 'contributors', value, cluster);
  }
};

/** The output of its adapter's training that an answer draws by its id, in proportion to their fee weights. */
const trainingOf = (state: LedgerState, page: AttributionPage, output: number) => {
  const job = state.modelJobs.get(page.modelIds[output] as number);
  const training = job === undefined ? undefined : state.trainings.get(job);
  if (!training) return undefined;
  const { batch, outputs, total } = training;
  if (total === 0n) return { batch, drawn: undefined };
  const point = BigInt(outputIdAt(page, output)) % total;
  return { batch, drawn: outputs.find(({ before, weight }) => point >= before && point < before + weight) };
};
