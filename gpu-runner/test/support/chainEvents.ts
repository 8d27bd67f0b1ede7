import type { BlockEntry, ChainEvent, EventArgs, EventType } from '@openledger/event-log';
import { type Hex, keccak256, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { RunnerView } from '../../src/chain/runnerView.ts';

export const CHAIN_ID = 16120;
/** A hash that is told apart by a word, the same in every run. */
export const hashOf = (text: string): Hex => keccak256(stringToHex(text));
export const runner = privateKeyToAccount(hashOf('runner'));
export const payer = privateKeyToAccount(hashOf('payer'));
export const stranger = privateKeyToAccount(hashOf('stranger'));

export const low = (address: string): Hex => address.toLowerCase() as Hex;

export const event = <T extends EventType>(type: T, args: EventArgs<T>): ChainEvent =>
  ({ type, txIndex: 0, logIndex: 0, subIndex: 0, args }) as unknown as ChainEvent;

/** Tells a view what happened, as the intake does. */
export const tell = (view: RunnerView, ...events: ChainEvent[]): void =>
  view.apply({ kind: 'block', number: 1n, events } as unknown as BlockEntry);

/** A view that has read its log to the end. */
export const viewOf = (...events: ChainEvent[]): RunnerView => {
  const view = new RunnerView();
  tell(view, ...events);
  view.ready = true;
  return view;
};

export const channelOpened = (channelId: bigint, deposit: bigint, changes: { runner?: string } = {}) =>
  event('ChannelOpened', {
    channelId,
    payer: low(payer.address),
    runner: low(changes.runner ?? runner.address),
    deposit,
  });

export const datanetCreated = (datanetId = 1n, owner: string = runner.address) =>
  event('DatanetCreated', { datanetId, owner: low(owner), modality: 0, name: 'n', description: '' });

export const submitted = (
  contributionId: bigint,
  contentHash: Hex = hashOf(`file ${contributionId}`),
  datanetId = 1n,
) =>
  event('ContributionSubmitted', {
    contributionId,
    datanetId,
    contributor: low(payer.address),
    contentHash,
    format: 3,
    size: 10,
    fileName: `${contributionId}.txt`,
  });

export const accepted = (contributionId: bigint, leafIndex: number, datanetId = 1n) =>
  event('ContributionAccepted', {
    contributionId,
    datanetId,
    contributor: low(payer.address),
    reviewer: low(runner.address),
    score: 5,
    leafIndex,
    leaf: hashOf(`leaf ${contributionId}`),
    duplicateOf: 0n,
  });

export const published = (contributionCount: number, datanetId = 1n) =>
  event('DatanetVersionPublished', { datanetId, version: 1, dataRoot: hashOf('root'), contributionCount });

export const baseRegistered = (modelId: bigint, weightsHash: Hex, name = 'base') =>
  event('BaseModelRegistered', {
    modelId,
    owner: low(runner.address),
    weightsHash,
    name,
    architecture: 'llama',
    uri: 'ipfs://base',
  });

export const adapterRegistered = (
  modelId: bigint,
  parentId: bigint,
  weightsHash: Hex,
  name = 'adapter',
  configHash = hashOf('config'),
) =>
  event('AdapterRegistered', {
    modelId,
    parentId,
    owner: low(payer.address),
    jobId: 1n,
    datanetId: 1n,
    datanetVersion: 1,
    weightsHash,
    configHash,
    name,
  });

export const deployed = (modelId: bigint, inputPrice: bigint, outputPrice: bigint) =>
  event('ModelDeployed', { modelId, owner: low(runner.address), inputPrice, outputPrice });

export const requested = (jobId: bigint, params = '{}', changes: { fee?: bigint } = {}) =>
  event('JobRequested', {
    jobId,
    requester: low(payer.address),
    modelId: 1n,
    datanetId: 1n,
    datanetVersion: 1,
    fee: changes.fee ?? 50_000n,
    deadline: 1_900_000_000n,
    params,
  });

export const claimed = (jobId: bigint, attempt: number, leaseUntil: bigint, by: string = runner.address) =>
  event('JobClaimed', { jobId, runner: low(by), attempt, leaseUntil });

/** A training's commit, as it emits: an evaluation with the hash of its report, then that the job is done. */
export const committed = (jobId: bigint, modelId: bigint, reportHash: Hex, by: string = runner.address) => [
  event('EvaluationRecorded', {
    ...{ modelId, suite: hashOf('domain'), evaluator: low(by), tokens: 1, regressed: false },
    ...{ baseLossMicros: 1n, modelLossMicros: 1n, reportHash },
  }),
  event('JobCommitted', { jobId, runner: low(by), modelId, attempt: 1, resultHash: hashOf(`weights of ${modelId}`) }),
];

export const failed = (jobId: bigint, attempt: number, by: string = runner.address) =>
  event('JobFailed', { jobId, runner: low(by), attempt, reason: 'it broke' });
