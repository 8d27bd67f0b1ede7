import { ListOrder } from './arguments.ts';
import { builder } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import { Deployment, DeploymentConnection, Model, Output } from './refs.ts';

builder.node(Deployment, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('deployments', 'position'),
  interfaces: [Recorded],
  description:
    'A contract with the record of where its source came from. The chain: output (attributions, contributions), model, ' +
    'its ancestors, training job and datanet version.',
  fields: (t) => ({
    deployed: t.expose('deployed', { type: 'Address' }),
    deployer: t.expose('deployer', { type: 'Address' }),
    outputId: t.expose('output_id', { type: 'Hex32' }),
    promptHash: t.expose('prompt_hash', { type: 'Hex32', description: 'sha256 of the prompt.' }),
    sourceHash: t.expose('source_hash', { type: 'Hex32', description: 'sha256 of the source text.' }),
    compilerHash: t.expose('compiler_hash', {
      type: 'Hex32',
      description: "sha256 of the compiler's standard JSON input.",
    }),
    codeHash: t.expose('code_hash', { type: 'Hex32' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      description: 'The model that wrote the source.',
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
    output: t.field({
      type: Output,
      nullable: true,
      description: "The answer that held the source: the first output of this model with the deployment's output id.",
      resolve: ({ output_id, model_id }, _args, { views }) => views.one('outputs', { output_id, model_id }, 'position'),
    }),
    outputMatches: t.boolean({
      nullable: true,
      description:
        'Whether the prompt of the recorded output is the one that the deployer named; null without an output.',
      resolve: async ({ output_id, model_id, prompt_hash }, _args, { views }) => {
        const output = await views.one('outputs', { output_id, model_id }, 'position');
        return output && output.prompt_hash === prompt_hash;
      },
    }),
  }),
});

const DeploymentWhere = builder.inputType('DeploymentWhere', {
  fields: (t) => ({
    deployer: t.field({ type: 'Address' }),
    modelId: t.field({ type: 'Uint256' }),
    outputId: t.field({ type: 'Hex32' }),
  }),
});

builder.queryFields((t) => ({
  deployments: t.connection(
    {
      type: Deployment,
      args: {
        where: t.arg({ type: DeploymentWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('deployer', args.where?.deployer),
          equals('model_id', args.where?.modelId),
          equals('output_id', args.where?.outputId),
        );
        return page(views, { table: 'deployments', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    DeploymentConnection,
  ),
  deployment: t.field({
    type: Deployment,
    nullable: true,
    description: 'The last deployment at an address.',
    args: { address: t.arg({ type: 'Address', required: true }) },
    resolve: (_root, { address }, { views }) => views.one('deployments', { deployed: address }, 'position DESC'),
  }),
}));
