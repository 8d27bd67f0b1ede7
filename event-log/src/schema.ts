import type { PredeployName } from '@openledger/chain-config';

/**
 * Kinds of field values, in memory and on the wire:
 * `number` up to 32 bits; `uint` up to 256 bits (bigint; on the wire an integer up to 2^53-1, else big-endian bytes);
 * `address`, `bytes32` (0x lowercase; on the wire bytes); `bytes` (Uint8Array); `string`; `bool`.
 */
export type FieldKind = 'number' | 'uint' | 'address' | 'bytes32' | 'bytes' | 'string' | 'bool';

type KindToType = {
  number: number;
  uint: bigint;
  address: `0x${string}`;
  bytes32: `0x${string}`;
  bytes: Uint8Array;
  string: string;
  bool: boolean;
};

type Source = PredeployName | 'batch' | 'portal' | 'l2ToL1MessagePasser';
type Definition = { id: number; source: Source; fields: Record<string, FieldKind> };
const define = <const T extends Record<string, Definition>>(table: T): T => table;

/**
 * Every event type of the log, schema version 2. Field order is the wire order: append-only, an incompatible change is a
 * new schema version with an upcaster. Names are those of the contract's ABI. `batch` events are the pages of attribution
 * batches, which travel as calldata: thousands of attributions stay the columns that they came as
 * (docs/spec/attribution-batch.md; `decodePage` of the contracts package reads them).
 */
export const eventSchema = define({
  DatanetCreated: {
    id: 1,
    source: 'datanets',
    fields: { datanetId: 'uint', owner: 'address', modality: 'number', name: 'string', description: 'string' },
  },
  ReviewerSet: { id: 2, source: 'datanets', fields: { datanetId: 'uint', reviewer: 'address', allowed: 'bool' } },
  ContributionSubmitted: {
    id: 3,
    source: 'datanets',
    fields: {
      contributionId: 'uint',
      datanetId: 'uint',
      contributor: 'address',
      contentHash: 'bytes32',
      format: 'number',
      size: 'number',
      fileName: 'string',
    },
  },
  ContributionAccepted: {
    id: 4,
    source: 'datanets',
    fields: {
      contributionId: 'uint',
      datanetId: 'uint',
      contributor: 'address',
      reviewer: 'address',
      score: 'number',
      leafIndex: 'number',
      leaf: 'bytes32',
      duplicateOf: 'uint',
    },
  },
  ContributionRejected: {
    id: 5,
    source: 'datanets',
    fields: {
      contributionId: 'uint',
      datanetId: 'uint',
      contributor: 'address',
      reviewer: 'address',
      reason: 'string',
    },
  },
  DatanetVersionPublished: {
    id: 6,
    source: 'datanets',
    fields: { datanetId: 'uint', version: 'number', dataRoot: 'bytes32', contributionCount: 'number' },
  },
  BaseModelRegistered: {
    id: 20,
    source: 'models',
    fields: {
      modelId: 'uint',
      owner: 'address',
      weightsHash: 'bytes32',
      name: 'string',
      architecture: 'string',
      uri: 'string',
    },
  },
  AdapterRegistered: {
    id: 21,
    source: 'models',
    fields: {
      modelId: 'uint',
      parentId: 'uint',
      owner: 'address',
      jobId: 'uint',
      datanetId: 'uint',
      datanetVersion: 'number',
      weightsHash: 'bytes32',
      configHash: 'bytes32',
      name: 'string',
    },
  },
  EvaluationRecorded: {
    id: 22,
    source: 'models',
    fields: {
      modelId: 'uint',
      suite: 'bytes32',
      evaluator: 'address',
      baseLossMicros: 'uint',
      modelLossMicros: 'uint',
      tokens: 'number',
      regressed: 'bool',
      reportHash: 'bytes32',
    },
  },
  ModelDeployed: {
    id: 23,
    source: 'models',
    fields: { modelId: 'uint', owner: 'address', inputPrice: 'uint', outputPrice: 'uint' },
  },
  ModelRetired: { id: 24, source: 'models', fields: { modelId: 'uint', owner: 'address' } },
  ModelOwnershipTransferred: {
    id: 25,
    source: 'models',
    fields: { modelId: 'uint', from: 'address', to: 'address' },
  },
  SplitSet: {
    id: 40,
    source: 'jobs',
    fields: {
      version: 'number',
      owner: 'number',
      runner: 'number',
      contributors: 'number',
      stakers: 'number',
      platform: 'number',
    },
  },
  JobRequested: {
    id: 41,
    source: 'jobs',
    fields: {
      jobId: 'uint',
      requester: 'address',
      modelId: 'uint',
      datanetId: 'uint',
      datanetVersion: 'number',
      fee: 'uint',
      deadline: 'uint',
      params: 'string',
    },
  },
  JobClaimed: {
    id: 42,
    source: 'jobs',
    fields: { jobId: 'uint', runner: 'address', attempt: 'number', leaseUntil: 'uint' },
  },
  LeaseRenewed: {
    id: 43,
    source: 'jobs',
    fields: { jobId: 'uint', runner: 'address', attempt: 'number', leaseUntil: 'uint' },
  },
  JobFailed: {
    id: 44,
    source: 'jobs',
    fields: { jobId: 'uint', runner: 'address', attempt: 'number', reason: 'string' },
  },
  JobCommitted: {
    id: 45,
    source: 'jobs',
    fields: { jobId: 'uint', runner: 'address', modelId: 'uint', attempt: 'number', resultHash: 'bytes32' },
  },
  JobRefunded: { id: 46, source: 'jobs', fields: { jobId: 'uint', requester: 'address', amount: 'uint' } },
  JobSettled: {
    id: 47,
    source: 'jobs',
    fields: {
      jobId: 'uint',
      runner: 'address',
      modelId: 'uint',
      amount: 'uint',
      batchIndex: 'uint',
      splitVersion: 'number',
    },
  },
  ChannelOpened: {
    id: 48,
    source: 'jobs',
    fields: { channelId: 'uint', payer: 'address', runner: 'address', deposit: 'uint' },
  },
  ChannelToppedUp: { id: 49, source: 'jobs', fields: { channelId: 'uint', amount: 'uint', deposit: 'uint' } },
  ChannelCloseRequested: { id: 50, source: 'jobs', fields: { channelId: 'uint', closableAt: 'uint' } },
  ChannelSettled: {
    id: 51,
    source: 'jobs',
    fields: {
      channelId: 'uint',
      runner: 'address',
      payer: 'address',
      amount: 'uint',
      cumulative: 'uint',
      batchIndex: 'uint',
      splitVersion: 'number',
    },
  },
  ChannelClosed: { id: 52, source: 'jobs', fields: { channelId: 'uint', payer: 'address', refund: 'uint' } },
  InferenceRequested: {
    id: 53,
    source: 'jobs',
    fields: {
      jobId: 'uint',
      payer: 'address',
      runner: 'address',
      modelId: 'uint',
      escrow: 'uint',
      requestHash: 'bytes32',
      maxTokens: 'number',
      deadline: 'uint',
    },
  },
  InferenceSettled: {
    id: 54,
    source: 'jobs',
    fields: {
      jobId: 'uint',
      runner: 'address',
      payer: 'address',
      amount: 'uint',
      refund: 'uint',
      batchIndex: 'uint',
      splitVersion: 'number',
    },
  },
  InferenceRefunded: { id: 55, source: 'jobs', fields: { jobId: 'uint', payer: 'address', amount: 'uint' } },
  BatchAppended: {
    id: 60,
    source: 'attributionLedger',
    fields: {
      batchIndex: 'uint',
      runner: 'address',
      pageCount: 'number',
      pagesRoot: 'bytes32',
      settlementsHash: 'bytes32',
      head: 'bytes32',
    },
  },
  PageRecorded: { id: 64, source: 'batch', fields: { batchIndex: 'uint', page: 'number', data: 'bytes' } },
  PageRejected: { id: 65, source: 'batch', fields: { batchIndex: 'uint', page: 'number', reason: 'string' } },
  Funded: {
    id: 80,
    source: 'rewards',
    fields: { fundingId: 'uint', source: 'address', amount: 'uint', totalFunded: 'uint' },
  },
  RootProposed: {
    id: 81,
    source: 'rewards',
    fields: {
      epoch: 'uint',
      proposer: 'address',
      root: 'bytes32',
      prevRoot: 'bytes32',
      dataHash: 'bytes32',
      traceRoot: 'bytes32',
      treeRoot: 'bytes32',
      records: 'uint',
      accounts: 'uint',
      toBlock: 'uint',
      total: 'uint',
      disputableUntil: 'uint',
    },
  },
  RootRejected: { id: 82, source: 'rewards', fields: { epoch: 'uint', challenger: 'address', reason: 'string' } },
  RootFinalized: { id: 84, source: 'rewards', fields: { epoch: 'uint', root: 'bytes32', total: 'uint' } },
  Claimed: {
    id: 85,
    source: 'rewards',
    fields: { account: 'address', recipient: 'address', token: 'address', amount: 'uint', cumulative: 'uint' },
  },
  RecipientSet: { id: 86, source: 'rewards', fields: { account: 'address', recipient: 'address' } },
  ChunkRequested: {
    id: 90,
    source: 'rewardDisputes',
    fields: { epoch: 'uint', part: 'number', index: 'uint', requester: 'address', deadline: 'uint' },
  },
  BondChanged: { id: 100, source: 'staking', fields: { runner: 'address', bond: 'uint' } },
  StakeChanged: {
    id: 101,
    source: 'staking',
    fields: { staker: 'address', runner: 'address', stake: 'uint', runnerTotal: 'uint' },
  },
  UnbondRequested: {
    id: 102,
    source: 'staking',
    fields: { account: 'address', runner: 'address', amount: 'uint', withdrawableAt: 'uint' },
  },
  Withdrawn: { id: 103, source: 'staking', fields: { account: 'address', amount: 'uint' } },
  Slashed: { id: 104, source: 'staking', fields: { runner: 'address', amount: 'uint', reason: 'string' } },
  EndpointAnnounced: { id: 105, source: 'staking', fields: { runner: 'address', endpoint: 'string' } },
  ContractDeployed: {
    id: 120,
    source: 'provenance',
    fields: {
      deployed: 'address',
      deployer: 'address',
      modelId: 'uint',
      outputId: 'bytes32',
      promptHash: 'bytes32',
      sourceHash: 'bytes32',
      compilerHash: 'bytes32',
      codeHash: 'bytes32',
    },
  },
  AuditOpened: {
    id: 140,
    source: 'audits',
    fields: {
      outputId: 'bytes32',
      runner: 'address',
      auditor: 'address',
      modelId: 'uint',
      batchIndex: 'uint',
      sourceKind: 'number',
      deadline: 'uint',
      seed: 'bytes32',
    },
  },
  AuditReported: {
    id: 141,
    source: 'audits',
    fields: { outputId: 'bytes32', auditor: 'address', finding: 'number', detail: 'string' },
  },
  AuditContested: {
    id: 142,
    source: 'audits',
    fields: { outputId: 'bytes32', juror0: 'address', juror1: 'address', juror2: 'address', deadline: 'uint' },
  },
  AuditVoted: {
    id: 143,
    source: 'audits',
    fields: { outputId: 'bytes32', juror: 'address', finding: 'number', detail: 'string' },
  },
  AuditClosed: { id: 144, source: 'audits', fields: { outputId: 'bytes32', runner: 'address', outcome: 'number' } },
});

export type EventType = keyof typeof eventSchema;
export type EventArgs<T extends EventType> = {
  readonly [K in keyof (typeof eventSchema)[T]['fields']]: (typeof eventSchema)[T]['fields'][K] extends FieldKind
    ? KindToType[(typeof eventSchema)[T]['fields'][K]]
    : never;
};

/** Version of the table above; stands in the header of every chunk. */
export const SCHEMA_VERSION = 2;

export const eventTypeById: ReadonlyMap<number, EventType> = new Map(
  (Object.keys(eventSchema) as EventType[]).map((type) => [eventSchema[type].id, type]),
);
