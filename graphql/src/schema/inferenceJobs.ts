import { ListOrder } from './arguments.ts';
import { builder } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import { InferenceJob, InferenceJobConnection, Model, Output, OutputConnection } from './refs.ts';

/** As outputs name the kind of their source. */
export const INFERENCE_JOB = 3;

const InferenceStatus = builder.enumType('InferenceStatus', {
  values: {
    REQUESTED: { value: 'requested' },
    SETTLED: { value: 'settled' },
    REFUNDED: { value: 'refunded' },
  } as const,
});

builder.node(InferenceJob, {
  id: { resolve: ({ job_id }) => idOf(job_id) },
  loadOne: loadByKey('inference_jobs', 'job_id'),
  interfaces: [Recorded],
  description: 'One call that was paid into escrow, for a runner that its payer named.',
  fields: (t) => ({
    jobId: t.expose('job_id', { type: 'Uint256' }),
    payer: t.expose('payer', { type: 'Address' }),
    runner: t.expose('runner', { type: 'Address' }),
    escrow: t.expose('escrow', { type: 'Uint256', description: 'Wei of OPEN.' }),
    settled: t.expose('settled', { type: 'Uint256', description: 'Wei of OPEN that the answer cost.' }),
    refunded: t.expose('refunded', { type: 'Uint256', description: 'Wei of OPEN.' }),
    requestHash: t.expose('request_hash', { type: 'Hex32', description: 'sha256 of the request’s body.' }),
    maxTokens: t.expose('max_tokens', { type: 'Long' }),
    deadline: t.expose('deadline', { type: 'Uint256', description: 'Unix seconds; after it anyone may refund.' }),
    status: t.field({
      type: InferenceStatus,
      resolve: ({ status }) => status as 'requested' | 'settled' | 'refunded',
    }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
    outputs: t.connection(
      {
        type: Output,
        resolve: ({ job_id }, args, { views }) => {
          const filter = where(equals('source_kind', INFERENCE_JOB), equals('source_id', job_id));
          return page(views, { table: 'outputs', order: byColumn('position'), where: filter }, args);
        },
      },
      OutputConnection,
    ),
  }),
});

const InferenceJobWhere = builder.inputType('InferenceJobWhere', {
  fields: (t) => ({
    status: t.field({ type: InferenceStatus }),
    payer: t.field({ type: 'Address' }),
    runner: t.field({ type: 'Address' }),
  }),
});

builder.queryFields((t) => ({
  inferenceJobs: t.connection(
    {
      type: InferenceJob,
      args: {
        where: t.arg({ type: InferenceJobWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('status', args.where?.status),
          equals('payer', args.where?.payer),
          equals('runner', args.where?.runner),
        );
        return page(views, { table: 'inference_jobs', order: byColumn('job_id', args.order), where: filter }, args);
      },
    },
    InferenceJobConnection,
  ),
}));
