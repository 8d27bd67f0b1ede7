import type { JobUpdatesRow, SplitsRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder, connectionOf } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import {
  Batch,
  Channel,
  ChannelConnection,
  DatanetVersion,
  InferenceJob,
  Job,
  JobConnection,
  Model,
  Output,
  OutputConnection,
  Settlement,
  SettlementConnection,
} from './refs.ts';

export const TRAINING_JOB = 1;
export const CHANNEL = 2;

const jobStatuses = {
  REQUESTED: { value: 'requested' },
  CLAIMED: { value: 'claimed' },
  COMMITTED: { value: 'committed' },
  REFUNDED: { value: 'refunded' },
} as const;
type JobStatusValue = (typeof jobStatuses)[keyof typeof jobStatuses]['value'];
const JobStatus = builder.enumType('JobStatus', { values: jobStatuses });

const JobUpdate = builder.objectRef<JobUpdatesRow>('JobUpdate').implement({
  interfaces: [Recorded],
  description: 'One step in the life of a job.',
  fields: (t) => ({
    change: t.exposeString('change', {
      description: 'requested, claimed, renewed, failed, committed, settled or refunded.',
    }),
    attempt: t.expose('attempt', { type: 'Long', nullable: true }),
    runner: t.expose('runner', { type: 'Address', nullable: true }),
    leaseUntil: t.expose('lease_until', { type: 'Uint256', nullable: true, description: 'Unix seconds.' }),
    reason: t.exposeString('reason', { nullable: true }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
  }),
});
const JobUpdateConnection = connectionOf(JobUpdate);

const Split = builder.objectRef<SplitsRow>('Split').implement({
  interfaces: [Recorded],
  description: 'How a net fee is divided, in basis points.',
  fields: (t) => ({
    version: t.expose('version', { type: 'Long' }),
    owner: t.expose('owner', { type: 'Long' }),
    runner: t.expose('runner', { type: 'Long' }),
    contributors: t.expose('contributors', { type: 'Long' }),
    stakers: t.expose('stakers', { type: 'Long' }),
    platform: t.expose('platform', { type: 'Long' }),
  }),
});
const SplitConnection = connectionOf(Split);

builder.node(Job, {
  id: { resolve: ({ job_id }) => idOf(job_id) },
  loadOne: loadByKey('jobs', 'job_id'),
  interfaces: [Recorded],
  description: 'A training job.',
  fields: (t) => ({
    jobId: t.expose('job_id', { type: 'Uint256' }),
    requester: t.expose('requester', { type: 'Address' }),
    status: t.field({ type: JobStatus, resolve: ({ status }) => status as JobStatusValue }),
    fee: t.expose('fee', { type: 'Uint256', description: 'Wei of OPEN.' }),
    deadline: t.expose('deadline', { type: 'Uint256', description: 'Unix seconds; then anyone may refund it.' }),
    params: t.exposeString('params', { description: 'JSON as it was given with the request.' }),
    attempt: t.expose('attempt', { type: 'Long', description: 'Claims so far.' }),
    runner: t.expose('runner', { type: 'Address', nullable: true, description: 'Of the last claim.' }),
    leaseUntil: t.expose('lease_until', {
      type: 'Uint256',
      nullable: true,
      description: 'Unix seconds; null while nobody holds the job.',
    }),
    failureReason: t.exposeString('failure_reason', { nullable: true, description: 'Of the last failed attempt.' }),
    resultHash: t.expose('result_hash', { type: 'Hex32', nullable: true }),
    settled: t.expose('settled', { type: 'Uint256', nullable: true, description: 'Wei of OPEN.' }),
    refunded: t.expose('refunded', { type: 'Uint256', nullable: true, description: 'Wei of OPEN.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds of the request.' }),
    updatedAt: t.expose('updated_at', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      description: 'The model to train on.',
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
    resultModel: t.field({
      type: Model,
      nullable: true,
      resolve: ({ result_model_id }, _args, { views }) =>
        result_model_id === null ? null : views.one('models', { model_id: result_model_id }),
    }),
    datanetVersion: t.field({
      type: DatanetVersion,
      nullable: true,
      resolve: ({ datanet_id, datanet_version }, _args, { views }) =>
        views.one('datanet_versions', { datanet_id, version: datanet_version }),
    }),
    history: t.connection(
      {
        type: JobUpdate,
        description: 'Oldest first.',
        resolve: ({ job_id }, args, { views }) => {
          const order = byColumn('position', 'OLDEST_FIRST');
          return page(views, { table: 'job_updates', order, where: where(equals('job_id', job_id)) }, args);
        },
      },
      JobUpdateConnection,
    ),
    outputs: t.connection(
      {
        type: Output,
        resolve: ({ job_id }, args, { views }) => {
          const filter = where(equals('source_kind', TRAINING_JOB), equals('source_id', job_id));
          return page(views, { table: 'outputs', order: byColumn('position'), where: filter }, args);
        },
      },
      OutputConnection,
    ),
  }),
});

builder.node(Channel, {
  id: { resolve: ({ channel_id }) => idOf(channel_id) },
  loadOne: loadByKey('channels', 'channel_id'),
  interfaces: [Recorded],
  description: 'Money that a payer put aside for calls to one runner.',
  fields: (t) => ({
    channelId: t.expose('channel_id', { type: 'Uint256' }),
    payer: t.expose('payer', { type: 'Address' }),
    runner: t.expose('runner', { type: 'Address' }),
    deposit: t.expose('deposit', { type: 'Uint256', description: 'Wei of OPEN, all that was ever put in.' }),
    settled: t.expose('settled', { type: 'Uint256', description: 'Wei of OPEN.' }),
    refunded: t.expose('refunded', { type: 'Uint256', description: 'Wei of OPEN.' }),
    closableAt: t.expose('closable_at', { type: 'Uint256', nullable: true, description: 'Unix seconds.' }),
    closed: t.exposeBoolean('closed'),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    outputs: t.connection(
      {
        type: Output,
        resolve: ({ channel_id }, args, { views }) => {
          const filter = where(equals('source_kind', CHANNEL), equals('source_id', channel_id));
          return page(views, { table: 'outputs', order: byColumn('position'), where: filter }, args);
        },
      },
      OutputConnection,
    ),
  }),
});

const SettlementKind = builder.enumType('SettlementKind', {
  values: { JOB: { value: 'job' }, CHANNEL: { value: 'channel' }, INFERENCE: { value: 'inference' } } as const,
});

builder.node(Settlement, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('settlements', 'position'),
  interfaces: [Recorded],
  description: 'A fee that became payable, with the attribution batch that says to whom.',
  fields: (t) => ({
    kind: t.field({ type: SettlementKind, resolve: ({ kind }) => kind as 'job' | 'channel' | 'inference' }),
    sourceId: t.expose('source_id', { type: 'Uint256', description: 'Id of the job, channel or inference job.' }),
    runner: t.expose('runner', { type: 'Address' }),
    payer: t.expose('payer', { type: 'Address', nullable: true, description: 'Not of training jobs.' }),
    amount: t.expose('amount', { type: 'Uint256', description: 'Wei of OPEN.' }),
    cumulative: t.expose('cumulative', { type: 'Uint256', nullable: true, description: 'Channels only.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    job: t.field({
      type: Job,
      nullable: true,
      resolve: ({ kind, source_id }, _args, { views }) =>
        kind === 'job' ? views.one('jobs', { job_id: source_id }) : null,
    }),
    channel: t.field({
      type: Channel,
      nullable: true,
      resolve: ({ kind, source_id }, _args, { views }) =>
        kind === 'channel' ? views.one('channels', { channel_id: source_id }) : null,
    }),
    inferenceJob: t.field({
      type: InferenceJob,
      nullable: true,
      resolve: ({ kind, source_id }, _args, { views }) =>
        kind === 'inference' ? views.one('inference_jobs', { job_id: source_id }) : null,
    }),
    batch: t.field({
      type: Batch,
      nullable: true,
      resolve: ({ batch_index }, _args, { views }) => views.one('batches', { batch_index }),
    }),
    split: t.field({
      type: Split,
      nullable: true,
      resolve: ({ split_version }, _args, { views }) => views.one('splits', { version: split_version }),
    }),
  }),
});

const JobWhere = builder.inputType('JobWhere', {
  fields: (t) => ({
    status: t.field({ type: JobStatus }),
    requester: t.field({ type: 'Address' }),
    runner: t.field({ type: 'Address' }),
    modelId: t.field({ type: 'Uint256' }),
  }),
});
const ChannelWhere = builder.inputType('ChannelWhere', {
  fields: (t) => ({ payer: t.field({ type: 'Address' }), runner: t.field({ type: 'Address' }), closed: t.boolean() }),
});
const SettlementWhere = builder.inputType('SettlementWhere', {
  fields: (t) => ({
    kind: t.field({ type: SettlementKind }),
    sourceId: t.field({ type: 'Uint256' }),
    runner: t.field({ type: 'Address' }),
  }),
});

builder.queryFields((t) => ({
  jobs: t.connection(
    {
      type: Job,
      args: { where: t.arg({ type: JobWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('status', args.where?.status),
          equals('requester', args.where?.requester),
          equals('runner', args.where?.runner),
          equals('model_id', args.where?.modelId),
        );
        return page(views, { table: 'jobs', order: byColumn('job_id', args.order), where: filter }, args);
      },
    },
    JobConnection,
  ),
  job: t.field({
    type: Job,
    nullable: true,
    args: { id: t.arg({ type: 'Uint256', required: true }) },
    resolve: (_root, { id }, { views }) => views.one('jobs', { job_id: id }),
  }),
  channels: t.connection(
    {
      type: Channel,
      args: { where: t.arg({ type: ChannelWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('payer', args.where?.payer),
          equals('runner', args.where?.runner),
          equals('closed', args.where?.closed),
        );
        return page(views, { table: 'channels', order: byColumn('channel_id', args.order), where: filter }, args);
      },
    },
    ChannelConnection,
  ),
  settlements: t.connection(
    {
      type: Settlement,
      args: {
        where: t.arg({ type: SettlementWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('kind', args.where?.kind),
          equals('source_id', args.where?.sourceId),
          equals('runner', args.where?.runner),
        );
        return page(views, { table: 'settlements', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    SettlementConnection,
  ),
  splits: t.connection(
    {
      type: Split,
      resolve: (_root, args, { views }) => page(views, { table: 'splits', order: byColumn('version') }, args),
    },
    SplitConnection,
  ),
}));
