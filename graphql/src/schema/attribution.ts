import type { AttributionsRow, RejectedPagesRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder, type Context } from './builder.ts';
import { INFERENCE_JOB } from './inferenceJobs.ts';
import { CHANNEL, TRAINING_JOB } from './jobs.ts';
import { idOf, loadByKey } from './nodes.ts';
import { attributionOrder, byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import {
  Attribution,
  AttributionConnection,
  Audit,
  Batch,
  BatchConnection,
  Channel,
  Contribution,
  Contributor,
  InferenceJob,
  Job,
  Model,
  Output,
  OutputConnection,
} from './refs.ts';

/** Names of the attribution methods (docs/spec/attribution-batch.md). */
const methodNames: Readonly<Record<number, string>> = {
  1: 'training tokens',
  2: 'evidence-0',
  3: 'retrieval-0',
  4: 'influence-0',
};

const RejectedPage = builder.objectRef<RejectedPagesRow>('RejectedPage').implement({
  description: 'A page of a batch that is not one of the format; money for outputs in it goes back to the payer.',
  fields: (t) => ({
    page: t.expose('page', { type: 'Long' }),
    reason: t.exposeString('reason'),
  }),
});

const rejectedPagesOfBatch = {
  table: 'rejected_pages',
  column: 'batch_index',
  orderBy: 'position',
  limit: 100,
} as const;

builder.node(Batch, {
  id: { resolve: ({ batch_index }) => idOf(batch_index) },
  loadOne: loadByKey('batches', 'batch_index'),
  interfaces: [Recorded],
  description: 'Outputs with their attributions, appended to the ledger in one transaction.',
  fields: (t) => ({
    batchIndex: t.expose('batch_index', { type: 'Uint256' }),
    runner: t.expose('runner', { type: 'Address' }),
    pageCount: t.expose('page_count', { type: 'Long' }),
    pagesRoot: t.expose('pages_root', { type: 'Hex32', description: 'Merkle root over the pages in the calldata.' }),
    settlementsHash: t.expose('settlements_hash', { type: 'Hex32', description: 'Zero when it settled nothing.' }),
    outputCount: t.expose('output_count', { type: 'Long' }),
    attributionCount: t.expose('attribution_count', { type: 'Long' }),
    head: t.expose('head', { type: 'Hex32', description: "The ledger's hash chain after this batch." }),
    rejectedPages: t.field({
      type: [RejectedPage],
      description: 'Pages from which no output was taken, the first 100.',
      resolve: ({ batch_index }, _args, { views }) => views.related(rejectedPagesOfBatch, batch_index),
    }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    outputs: t.connection(
      {
        type: Output,
        resolve: ({ batch_index }, args, { views }) => {
          const order = byColumn('position', 'OLDEST_FIRST');
          return page(views, { table: 'outputs', order, where: where(equals('batch_index', batch_index)) }, args);
        },
      },
      OutputConnection,
    ),
  }),
});

const OutputSource = builder.unionType('OutputSource', {
  types: [Job, Channel, InferenceJob],
  resolveType: (row) => ('channel_id' in row ? Channel : 'escrow' in row ? InferenceJob : Job),
});

builder.node(Output, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('outputs', 'position'),
  interfaces: [Recorded],
  description: 'An answer of a model, or a trained adapter, whose origin is recorded.',
  fields: (t) => ({
    outputId: t.expose('output_id', {
      type: 'Hex32',
      description: 'Hash of what identifies the output, a nonce of the runner included.',
    }),
    nonce: t.expose('nonce', { type: 'Long' }),
    promptHash: t.expose('prompt_hash', { type: 'Hex32', description: 'sha256; of a training: its config hash.' }),
    outputHash: t.expose('output_hash', { type: 'Hex32', description: 'sha256; of a training: its weights hash.' }),
    promptTokens: t.expose('prompt_tokens', { type: 'Long' }),
    outputTokens: t.expose('output_tokens', { type: 'Long' }),
    feeWeight: t.expose('fee_weight', {
      type: 'Uint256',
      description: 'Its share in what its source settled with this batch; only the ratio counts.',
    }),
    method: t.expose('method', {
      type: 'Long',
      description: 'How it was attributed: 1 training tokens, 2 evidence-0.',
    }),
    methodName: t.string({ nullable: true, resolve: ({ method }) => methodNames[method] ?? null }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      description: 'The model that answered; of a training: the model trained on.',
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
    batch: t.field({
      type: Batch,
      nullable: true,
      resolve: ({ batch_index }, _args, { views }) => views.one('batches', { batch_index }),
    }),
    source: t.field({
      type: OutputSource,
      nullable: true,
      description: 'The training job, channel or inference job that paid for it.',
      resolve: ({ source_kind, source_id }, _args, { views }) => {
        if (source_kind === TRAINING_JOB) return views.one('jobs', { job_id: source_id });
        if (source_kind === CHANNEL) return views.one('channels', { channel_id: source_id });
        return source_kind === INFERENCE_JOB ? views.one('inference_jobs', { job_id: source_id }) : null;
      },
    }),
    audit: t.field({
      type: Audit,
      nullable: true,
      description: 'Null when it was not drawn, or its audit not opened.',
      resolve: ({ output_id }, _args, { views }) => views.one('audits', { output_id }),
    }),
    attributions: t.connection(
      {
        type: Attribution,
        resolve: ({ position }, args, { views }) => {
          const order = byColumn('position', 'OLDEST_FIRST');
          return page(views, { table: 'attributions', order, where: where(equals('output_position', position)) }, args);
        },
      },
      AttributionConnection,
    ),
  }),
});

/** The last output before an attribution's position is the one that it belongs to. */
const attributionAt = async (id: string, { views }: Context): Promise<AttributionsRow | null> => {
  if (!/^\d{1,15}$/.test(id)) return null;
  const [row] = await views.query<AttributionsRow>(
    `SELECT * FROM attributions WHERE position = $1
     AND output_position = (SELECT max(position) FROM outputs WHERE position < $1)`,
    [id],
  );
  return row ?? null;
};

builder.node(Attribution, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: attributionAt,
  interfaces: [Recorded],
  description: 'How much one contribution shaped one output.',
  fields: (t) => ({
    weight: t.expose('weight', {
      type: 'Uint256',
      description: 'Only its ratio to the other weights of the output counts.',
    }),
    method: t.expose('method', { type: 'Long' }),
    contributionId: t.expose('contribution_id', { type: 'Uint256' }),
    output: t.field({
      type: Output,
      nullable: true,
      resolve: ({ output_position }, _args, { views }) => views.one('outputs', { position: output_position }),
    }),
    contribution: t.field({
      type: Contribution,
      nullable: true,
      description: 'Null when the runner named one that did not exist.',
      resolve: ({ contribution_id, contributor }, _args, { views }) =>
        contributor === null ? null : views.one('contributions', { contribution_id }),
    }),
    contributor: t.field({
      type: Contributor,
      nullable: true,
      resolve: ({ contributor }, _args, { views }) =>
        contributor === null ? null : views.one('contributors', { contributor }),
    }),
  }),
});

const OutputWhere = builder.inputType('OutputWhere', {
  fields: (t) => ({ modelId: t.field({ type: 'Uint256' }), batchIndex: t.field({ type: 'Uint256' }) }),
});
const AttributionWhere = builder.inputType('AttributionWhere', {
  fields: (t) => ({ contributionId: t.field({ type: 'Uint256' }), contributor: t.field({ type: 'Address' }) }),
});

builder.queryFields((t) => ({
  outputs: t.connection(
    {
      type: Output,
      args: { where: t.arg({ type: OutputWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(equals('model_id', args.where?.modelId), equals('batch_index', args.where?.batchIndex));
        return page(views, { table: 'outputs', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    OutputConnection,
  ),
  output: t.field({
    type: Output,
    nullable: true,
    description: 'By its output id; the first one when a runner gave the same id again.',
    args: { id: t.arg({ type: 'Hex32', required: true }) },
    resolve: (_root, { id }, { views }) => views.one('outputs', { output_id: id }, 'position'),
  }),
  attributions: t.connection(
    {
      type: Attribution,
      args: {
        where: t.arg({ type: AttributionWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('contribution_id', args.where?.contributionId),
          equals('contributor', args.where?.contributor),
        );
        return page(views, { table: 'attributions', order: attributionOrder(args.order), where: filter }, args);
      },
    },
    AttributionConnection,
  ),
  batches: t.connection(
    {
      type: Batch,
      args: { runner: t.arg({ type: 'Address' }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const order = byColumn('batch_index', args.order);
        return page(views, { table: 'batches', order, where: where(equals('runner', args.runner)) }, args);
      },
    },
    BatchConnection,
  ),
}));
