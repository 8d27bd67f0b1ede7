import type { ChainEvent, EventArgs, EventType } from '@openledger/event-log';
import { type Address, keccak256, numberToHex } from 'viem';
import { type Credit, evolveLedger, initialLedger, type LedgerState } from '../src/ledger.ts';

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

export const outputId = (n: number) => keccak256(numberToHex(n));

/** Events of an output with its evidence, as a batch in calldata gives them. */
export const output = (
  batchIndex: bigint,
  source: { job: bigint } | { channel: bigint },
  given: { id: number; model: bigint; weight?: bigint; rows?: Record<string, bigint> },
): ChainEvent[] => [
  event('OutputRecorded', {
    batchIndex,
    outputId: outputId(given.id),
    modelId: given.model,
    sourceKind: 'job' in source ? 1 : 2,
    sourceId: 'job' in source ? source.job : source.channel,
    feeWeight: given.weight ?? 1n,
  }),
  ...Object.entries(given.rows ?? {}).map(([contributionId, weight]) =>
    event('AttributionRecorded', {
      batchIndex,
      outputId: outputId(given.id),
      contributionId: BigInt(contributionId),
      weight,
    }),
  ),
];

export const baseModel = (modelId: bigint, owner: Address = people.owner) =>
  event('BaseModelRegistered', { modelId, owner });
export const contribution = (contributionId: bigint, contributor: Address) =>
  event('ContributionSubmitted', { contributionId, contributor });
export const channelSettled = (batchIndex: bigint, amount: bigint, splitVersion = 1) =>
  event('ChannelSettled', {
    channelId: 1n,
    runner: people.runner,
    payer: people.payer,
    amount,
    batchIndex,
    splitVersion,
  });
export const jobSettled = (jobId: bigint, batchIndex: bigint, amount: bigint) =>
  event('JobSettled', { jobId, runner: people.runner, modelId: 1n, amount, batchIndex, splitVersion: 1 });

/** A training of adapter `adapterId` by job `jobId` on `modelId`, with its rows. */
export const training = (jobId: bigint, adapterId: bigint, batchIndex: bigint, rows: Record<string, bigint>) => [
  event('JobRequested', { jobId, requester: people.payer, modelId: 1n }),
  event('AdapterRegistered', { modelId: adapterId, owner: people.payer, jobId, parentId: 1n }),
  ...output(batchIndex, { job: jobId }, { id: Number(1000n + jobId), model: 1n, rows }),
];

export const play = (events: readonly ChainEvent[]): { state: LedgerState; credits: Credit[] } => {
  const state = initialLedger();
  return { state, credits: events.flatMap((item) => evolveLedger(state, item, rules)) };
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
