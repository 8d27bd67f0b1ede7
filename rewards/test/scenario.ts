import { type BatchOutput, encodePages } from '@openledger/contracts';
import type { ChainEvent, EventArgs, EventType } from '@openledger/event-log';
import { type Address, keccak256, numberToHex } from 'viem';
import type { CreditSink, Receipt, Role } from '../src/ledger/creditSink.ts';
import { initialLedger, type LedgerState } from '../src/ledger/ledgerState.ts';
import { settleBlock } from '../src/ledger/settleBlock.ts';

const account = (byte: string): Address => `0x${byte.repeat(20)}`;
export const people = {
  owner: account('aa'),
  runner: account('bb'),
  ana: account('c1'),
  bo: account('c2'),
  staker: account('dd'),
  payer: account('ee'),
  platform: account('ff'),
} as const;
export const rules = { platform: people.platform };

/** An event with the arguments that the ledger reads; the others don't count. */
export const event = <T extends EventType>(type: T, args: Partial<EventArgs<T>>): ChainEvent =>
  ({ type, txIndex: 0, logIndex: 0, subIndex: 0, args }) as unknown as ChainEvent;

type Given = { id: number; model: bigint; weight?: bigint; rows?: Record<string, bigint> };
type Source = { job: bigint } | { channel: bigint };

export const output = (source: Source, { id, model, weight = 1n, rows = {} }: Given): BatchOutput => ({
  modelId: model,
  sourceKind: 'job' in source ? 1 : 2,
  sourceId: 'job' in source ? source.job : source.channel,
  method: 2,
  nonce: BigInt(id),
  promptHash: keccak256(numberToHex(id)),
  outputHash: keccak256(numberToHex(id)),
  promptTokens: 1,
  outputTokens: 1,
  feeWeight: weight,
  rows: Object.entries(rows).map(([contributionId, value]) => ({
    contributionId: BigInt(contributionId),
    weight: value,
  })),
});

/** A batch as the log tells it: that it was appended, its pages, and what was settled with it. */
export const batch = (
  batchIndex: bigint,
  outputs: readonly BatchOutput[],
  settled: readonly ((batchIndex: bigint) => ChainEvent)[],
): ChainEvent[] => [
  event('BatchAppended', { batchIndex, runner: people.runner }),
  ...(outputs.length === 0
    ? [event('PageRejected', { batchIndex, page: 0, reason: 'TRUNCATED' })]
    : encodePages(outputs).map((data, page) => event('PageRecorded', { batchIndex, page, data }))),
  ...settled.map((make) => make(batchIndex)),
];

export const baseModel = (modelId: bigint, owner: Address = people.owner) =>
  event('BaseModelRegistered', { modelId, owner });
export const contribution = (contributionId: bigint, contributor: Address, duplicateOf = 0n) =>
  event('ContributionAccepted', { contributionId, contributor, duplicateOf });
export const channelSettled =
  (amount: bigint, { channelId = 1n, splitVersion = 1 } = {}) =>
  (batchIndex: bigint) =>
    event('ChannelSettled', {
      channelId,
      runner: people.runner,
      payer: people.payer,
      amount,
      batchIndex,
      splitVersion,
    });
export const jobSettled = (jobId: bigint, amount: bigint) => (batchIndex: bigint) =>
  event('JobSettled', { jobId, runner: people.runner, modelId: 1n, amount, batchIndex, splitVersion: 1 });

/** A training of adapter `adapterId` by job `jobId` on model 1, with its rows. */
export const training = (
  jobId: bigint,
  adapterId: bigint,
  batchIndex: bigint,
  rows: Record<string, bigint>,
  fee = 0n,
) => [
  event('JobRequested', { jobId, requester: people.payer, modelId: 1n }),
  event('AdapterRegistered', { modelId: adapterId, owner: people.payer, jobId, parentId: 1n }),
  ...batch(
    batchIndex,
    [output({ job: jobId }, { id: Number(1000n + jobId), model: 1n, rows })],
    [jobSettled(jobId, fee)],
  ),
];

export type Credit = { account: Address; role: Role; amount: bigint; receipt: Receipt; cluster: number };

/** Folds blocks; all events of one call are one block unless they come as several. */
export const play = (...blocks: readonly ChainEvent[][]): { state: LedgerState; credits: Credit[] } => {
  const state = initialLedger(rules);
  const credits: Credit[] = [];
  let receipt: Receipt = { batch: 0, page: 0, output: 0 };
  const sink: CreditSink = {
    begin: (given) => {
      receipt = given;
    },
    credit: (who, role, amount, cluster) =>
      credits.push({ account: state.accounts.address(who), role, amount, receipt, cluster }),
    end: () => undefined,
  };
  for (const events of blocks) settleBlock(state, events, sink);
  return { state, credits };
};

/** Credits by role and account. */
export const byRole = (credits: readonly Credit[]): Record<string, bigint> => {
  const names = new Map<string, string>(Object.entries(people).map(([name, address]) => [address, name]));
  const sums: Record<string, bigint> = {};
  for (const { role, account: who, amount } of credits) {
    const key = `${role}:${names.get(who) ?? who}`;
    sums[key] = (sums[key] ?? 0n) + amount;
  }
  return sums;
};
