import type { ContributionBlocksRow, ReviewersRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder, connectionOf } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { attributionOrder, below, byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import {
  Attribution,
  AttributionConnection,
  Contribution,
  ContributionConnection,
  Contributor,
  Datanet,
  DatanetConnection,
  DatanetVersion,
  DatanetVersionConnection,
  Model,
  ModelConnection,
} from './refs.ts';

const Modality = builder.enumType('Modality', {
  values: { TEXT: { value: 'text' }, IMAGE: { value: 'image' }, AUDIO: { value: 'audio' } } as const,
});
const ContributionStatus = builder.enumType('ContributionStatus', {
  values: { PENDING: { value: 'pending' }, ACCEPTED: { value: 'accepted' }, REJECTED: { value: 'rejected' } } as const,
});

const Reviewer = builder.objectRef<ReviewersRow>('Reviewer').implement({
  interfaces: [Recorded],
  fields: (t) => ({
    account: t.expose('reviewer', { type: 'Address' }),
    allowed: t.exposeBoolean('allowed'),
  }),
});
const ReviewerConnection = connectionOf(Reviewer);

const AttributedWeight = builder.objectRef<ContributionBlocksRow>('AttributedWeight').implement({
  description: 'What a contribution was attributed over all outputs of one method; methods have different units.',
  fields: (t) => ({
    method: t.expose('method', { type: 'Long' }),
    outputs: t.expose('outputs', { type: 'Long' }),
    weight: t.exposeString('weight', { description: 'Decimal; may exceed 256 bits.' }),
  }),
});

const ContributionWhere = builder.inputType('ContributionWhere', {
  fields: (t) => ({
    datanetId: t.field({ type: 'Uint256' }),
    contributor: t.field({ type: 'Address' }),
    status: t.field({ type: ContributionStatus }),
    contentHash: t.field({ type: 'Hex32', description: 'sha256 of the file.' }),
  }),
});

builder.node(Datanet, {
  id: { resolve: ({ datanet_id }) => idOf(datanet_id) },
  loadOne: loadByKey('datanets', 'datanet_id'),
  interfaces: [Recorded],
  description: 'A community data set of one modality.',
  fields: (t) => ({
    datanetId: t.expose('datanet_id', { type: 'Uint256' }),
    owner: t.expose('owner', { type: 'Address' }),
    modality: t.field({ type: Modality, resolve: ({ modality }) => modality as 'text' | 'image' | 'audio' }),
    name: t.exposeString('name'),
    description: t.exposeString('description'),
    submitted: t.expose('submitted', { type: 'Long' }),
    accepted: t.expose('accepted', { type: 'Long' }),
    rejected: t.expose('rejected', { type: 'Long' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    versions: t.connection(
      {
        type: DatanetVersion,
        resolve: ({ datanet_id }, args, { views }) => {
          const filter = where(equals('datanet_id', datanet_id));
          return page(views, { table: 'datanet_versions', order: byColumn('version'), where: filter }, args);
        },
      },
      DatanetVersionConnection,
    ),
    reviewers: t.connection(
      {
        type: Reviewer,
        resolve: ({ datanet_id }, args, { views }) => {
          const filter = where(equals('datanet_id', datanet_id));
          return page(views, { table: 'reviewers', order: byColumn('reviewer', 'OLDEST_FIRST'), where: filter }, args);
        },
      },
      ReviewerConnection,
    ),
    contributions: t.connection(
      {
        type: Contribution,
        args: { status: t.arg({ type: ContributionStatus }) },
        resolve: ({ datanet_id }, args, { views }) => {
          const filter = where(equals('datanet_id', datanet_id), equals('status', args.status));
          return page(views, { table: 'contributions', order: byColumn('contribution_id'), where: filter }, args);
        },
      },
      ContributionConnection,
    ),
  }),
});

builder.node(DatanetVersion, {
  id: { resolve: ({ datanet_id, version }) => idOf(datanet_id, version) },
  loadOne: loadByKey('datanet_versions', 'datanet_id', 'version'),
  interfaces: [Recorded],
  description: 'A frozen state of a datanet: its first `contributionCount` accepted files.',
  fields: (t) => ({
    version: t.expose('version', { type: 'Long' }),
    dataRoot: t.expose('data_root', {
      type: 'Hex32',
      description: 'Merkle root over the leaves of its contributions.',
    }),
    contributionCount: t.expose('contribution_count', { type: 'Long' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    datanet: t.field({
      type: Datanet,
      nullable: true,
      resolve: ({ datanet_id }, _args, { views }) => views.one('datanets', { datanet_id }),
    }),
    contributions: t.connection(
      {
        type: Contribution,
        description: 'In the order of their leaves.',
        resolve: ({ datanet_id, contribution_count }, args, { views }) => {
          const filter = where(equals('datanet_id', datanet_id), below('leaf_index', contribution_count));
          const order = byColumn('leaf_index', 'OLDEST_FIRST');
          return page(views, { table: 'contributions', order, where: filter }, args);
        },
      },
      ContributionConnection,
    ),
    models: t.connection(
      {
        type: Model,
        description: 'Adapters trained on this version.',
        resolve: ({ datanet_id, version }, args, { views }) => {
          const filter = where(equals('datanet_id', datanet_id), equals('datanet_version', version));
          return page(views, { table: 'models', order: byColumn('model_id'), where: filter }, args);
        },
      },
      ModelConnection,
    ),
  }),
});

builder.node(Contribution, {
  id: { resolve: ({ contribution_id }) => idOf(contribution_id) },
  loadOne: loadByKey('contributions', 'contribution_id'),
  interfaces: [Recorded],
  description: 'A file that somebody gave to a datanet, and what became of it.',
  fields: (t) => ({
    contributionId: t.expose('contribution_id', { type: 'Uint256' }),
    contentHash: t.expose('content_hash', { type: 'Hex32', description: 'sha256 of the file.' }),
    format: t.exposeString('format'),
    size: t.expose('size', { type: 'Long', description: 'Bytes.' }),
    fileName: t.exposeString('file_name'),
    status: t.field({
      type: ContributionStatus,
      resolve: ({ status }) => status as 'pending' | 'accepted' | 'rejected',
    }),
    score: t.expose('score', { type: 'Long', nullable: true, description: '1 to 10,000; accepted files only.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why the file was rejected.' }),
    reviewer: t.expose('reviewer', { type: 'Address', nullable: true }),
    leafIndex: t.expose('leaf_index', { type: 'Long', nullable: true }),
    leaf: t.expose('leaf', { type: 'Hex32', nullable: true }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds of the submission.' }),
    decidedAt: t.expose('decided_at', { type: 'Long', nullable: true, description: 'Unix seconds.' }),
    contributor: t.field({
      type: Contributor,
      nullable: true,
      resolve: ({ contributor }, _args, { views }) => views.one('contributors', { contributor }),
    }),
    contributorAddress: t.expose('contributor', { type: 'Address' }),
    datanet: t.field({
      type: Datanet,
      nullable: true,
      resolve: ({ datanet_id }, _args, { views }) => views.one('datanets', { datanet_id }),
    }),
    attributed: t.field({
      type: [AttributedWeight],
      description: 'What it was attributed, by method.',
      resolve: ({ contribution_id }, _args, { views }) => views.related(weightsOfContribution, contribution_id),
    }),
    attributions: t.connection(
      {
        type: Attribution,
        resolve: ({ contribution_id }, args, { views }) => {
          const filter = where(equals('contribution_id', contribution_id));
          return page(views, { table: 'attributions', order: attributionOrder(), where: filter }, args);
        },
      },
      AttributionConnection,
    ),
  }),
});

const weightsOfContribution = {
  table: 'contribution_blocks',
  column: 'contribution_id',
  distinctOn: 'method',
  orderBy: 'method, position DESC',
  limit: 20,
} as const;

const DatanetWhere = builder.inputType('DatanetWhere', {
  fields: (t) => ({ owner: t.field({ type: 'Address' }), modality: t.field({ type: Modality }) }),
});

builder.queryFields((t) => ({
  datanets: t.connection(
    {
      type: Datanet,
      args: { where: t.arg({ type: DatanetWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(equals('owner', args.where?.owner), equals('modality', args.where?.modality));
        return page(views, { table: 'datanets', order: byColumn('datanet_id', args.order), where: filter }, args);
      },
    },
    DatanetConnection,
  ),
  datanet: t.field({
    type: Datanet,
    nullable: true,
    args: { id: t.arg({ type: 'Uint256', required: true }) },
    resolve: (_root, { id }, { views }) => views.one('datanets', { datanet_id: id }),
  }),
  contributions: t.connection(
    {
      type: Contribution,
      args: {
        where: t.arg({ type: ContributionWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('datanet_id', args.where?.datanetId),
          equals('contributor', args.where?.contributor),
          equals('status', args.where?.status),
          equals('content_hash', args.where?.contentHash),
        );
        return page(
          views,
          { table: 'contributions', order: byColumn('contribution_id', args.order), where: filter },
          args,
        );
      },
    },
    ContributionConnection,
  ),
  contribution: t.field({
    type: Contribution,
    nullable: true,
    args: { id: t.arg({ type: 'Uint256', required: true }) },
    resolve: (_root, { id }, { views }) => views.one('contributions', { contribution_id: id }),
  }),
}));
