import type { ModelsRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder, type Context } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import {
  DatanetVersion,
  Deployment,
  DeploymentConnection,
  Evaluation,
  EvaluationConnection,
  Job,
  Model,
  ModelConnection,
  Output,
  OutputConnection,
} from './refs.ts';

const ModelKind = builder.enumType('ModelKind', {
  values: { BASE: { value: 'base' }, ADAPTER: { value: 'adapter' } } as const,
});

/** A chain of refinements longer than this is cut; its rest is reachable through the last one's parent. */
const MAX_LINEAGE = 100;

const ancestorsOf = ({ model_id }: ModelsRow, { views }: Context): Promise<ModelsRow[]> =>
  views.query<ModelsRow>(
    `WITH RECURSIVE lineage AS (
       SELECT m.*, 0 AS generation FROM models m WHERE m.model_id = $1
       UNION ALL
       SELECT p.*, l.generation + 1 FROM models p JOIN lineage l ON p.model_id = l.parent_id
       WHERE l.generation < ${MAX_LINEAGE} AND p.position < l.position
     ) SELECT * FROM lineage WHERE generation > 0 ORDER BY generation`,
    [model_id],
  );

/** The last evaluation of each suite. */
const latestEvaluations = {
  table: 'evaluations',
  column: 'model_id',
  distinctOn: 'suite',
  orderBy: 'suite, position DESC',
  limit: 50,
} as const;

builder.node(Model, {
  id: { resolve: ({ model_id }) => idOf(model_id) },
  loadOne: loadByKey('models', 'model_id'),
  interfaces: [Recorded],
  description: 'A base model, or an adapter that a training job made from one.',
  fields: (t) => ({
    modelId: t.expose('model_id', { type: 'Uint256' }),
    kind: t.field({ type: ModelKind, resolve: ({ kind }) => kind as 'base' | 'adapter' }),
    owner: t.expose('owner', { type: 'Address' }),
    name: t.exposeString('name'),
    architecture: t.exposeString('architecture', { nullable: true, description: 'Base models only.' }),
    uri: t.exposeString('uri', { nullable: true, description: 'Base models only.' }),
    weightsHash: t.expose('weights_hash', { type: 'Hex32', description: 'sha256 of the safetensors file.' }),
    configHash: t.expose('config_hash', {
      type: 'Hex32',
      nullable: true,
      description: 'sha256 of the run record: config, seed, engine versions.',
    }),
    deployed: t.exposeBoolean('deployed'),
    inputPrice: t.expose('input_price', {
      type: 'Uint256',
      nullable: true,
      description: 'Wei of OPEN per 1,000 prompt tokens, as last deployed.',
    }),
    outputPrice: t.expose('output_price', {
      type: 'Uint256',
      nullable: true,
      description: 'Wei of OPEN per 1,000 generated tokens, as last deployed.',
    }),
    outputCount: t.expose('output_count', { type: 'Long' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    parent: t.field({
      type: Model,
      nullable: true,
      resolve: ({ parent_id }, _args, { views }) =>
        parent_id === null ? null : views.one('models', { model_id: parent_id }),
    }),
    ancestors: t.field({
      type: [Model],
      description: 'Parent first, base model last.',
      complexity: { field: 10, multiplier: 5 },
      resolve: (model, _args, context) => ancestorsOf(model, context),
    }),
    children: t.connection(
      {
        type: Model,
        description: 'Adapters trained on this model.',
        resolve: ({ model_id }, args, { views }) =>
          page(
            views,
            { table: 'models', order: byColumn('model_id'), where: where(equals('parent_id', model_id)) },
            args,
          ),
      },
      ModelConnection,
    ),
    job: t.field({
      type: Job,
      nullable: true,
      description: 'The training job that made the adapter.',
      resolve: ({ job_id }, _args, { views }) => (job_id === null ? null : views.one('jobs', { job_id })),
    }),
    datanetVersion: t.field({
      type: DatanetVersion,
      nullable: true,
      description: 'What the adapter was trained on.',
      resolve: ({ datanet_id, datanet_version }, _args, { views }) =>
        datanet_id === null || datanet_version === null
          ? null
          : views.one('datanet_versions', { datanet_id, version: datanet_version }),
    }),
    latestEvaluations: t.field({
      type: [Evaluation],
      description: 'The last result of each suite.',
      resolve: ({ model_id }, _args, { views }) => views.related(latestEvaluations, model_id),
    }),
    evaluations: t.connection(
      {
        type: Evaluation,
        resolve: ({ model_id }, args, { views }) =>
          page(
            views,
            { table: 'evaluations', order: byColumn('position'), where: where(equals('model_id', model_id)) },
            args,
          ),
      },
      EvaluationConnection,
    ),
    outputs: t.connection(
      {
        type: Output,
        resolve: ({ model_id }, args, { views }) =>
          page(
            views,
            { table: 'outputs', order: byColumn('position'), where: where(equals('model_id', model_id)) },
            args,
          ),
      },
      OutputConnection,
    ),
    deployments: t.connection(
      {
        type: Deployment,
        description: 'Contracts whose source this model wrote.',
        resolve: ({ model_id }, args, { views }) =>
          page(
            views,
            { table: 'deployments', order: byColumn('position'), where: where(equals('model_id', model_id)) },
            args,
          ),
      },
      DeploymentConnection,
    ),
  }),
});

builder.node(Evaluation, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('evaluations', 'position'),
  interfaces: [Recorded],
  description: 'A model against its base on the same rows. Losses in micro-nats per token.',
  fields: (t) => ({
    suite: t.exposeString('suite_name'),
    suiteHash: t.expose('suite', { type: 'Hex32' }),
    evaluator: t.expose('evaluator', { type: 'Address' }),
    baseLossMicros: t.expose('base_loss_micros', { type: 'Uint256' }),
    modelLossMicros: t.expose('model_loss_micros', { type: 'Uint256' }),
    tokens: t.expose('tokens', { type: 'Long' }),
    regressed: t.exposeBoolean('regressed', { description: "Worse than its base beyond the suite's tolerance." }),
    reportHash: t.expose('report_hash', { type: 'Hex32' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
  }),
});

const ModelWhere = builder.inputType('ModelWhere', {
  fields: (t) => ({
    kind: t.field({ type: ModelKind }),
    owner: t.field({ type: 'Address' }),
    parentId: t.field({ type: 'Uint256' }),
    deployed: t.boolean(),
    weightsHash: t.field({ type: 'Hex32' }),
  }),
});

const EvaluationWhere = builder.inputType('EvaluationWhere', {
  fields: (t) => ({ modelId: t.field({ type: 'Uint256' }), suite: t.field({ type: 'Hex32' }), regressed: t.boolean() }),
});

builder.queryFields((t) => ({
  models: t.connection(
    {
      type: Model,
      args: { where: t.arg({ type: ModelWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('kind', args.where?.kind),
          equals('owner', args.where?.owner),
          equals('parent_id', args.where?.parentId),
          equals('deployed', args.where?.deployed),
          equals('weights_hash', args.where?.weightsHash),
        );
        return page(views, { table: 'models', order: byColumn('model_id', args.order), where: filter }, args);
      },
    },
    ModelConnection,
  ),
  model: t.field({
    type: Model,
    nullable: true,
    args: { id: t.arg({ type: 'Uint256', required: true }) },
    resolve: (_root, { id }, { views }) => views.one('models', { model_id: id }),
  }),
  evaluations: t.connection(
    {
      type: Evaluation,
      args: {
        where: t.arg({ type: EvaluationWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('model_id', args.where?.modelId),
          equals('suite', args.where?.suite),
          equals('regressed', args.where?.regressed),
        );
        return page(views, { table: 'evaluations', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    EvaluationConnection,
  ),
}));
