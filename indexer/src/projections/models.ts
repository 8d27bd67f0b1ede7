import { storableText } from '../changes.ts';
import type { Projection } from './projection.ts';

/** Suite names are short ASCII, padded with zeros to 32 bytes. */
const suiteName = (suite: `0x${string}`): string =>
  storableText(Buffer.from(suite.slice(2), 'hex').toString('utf8').replace(/\0+$/, ''));

/** Base models and adapters, their lineage, owners and prices, and how they were judged. */
export const models: Projection = {
  name: 'models',
  on: {
    BaseModelRegistered: ({ modelId, owner, weightsHash, name, architecture, uri }, at, changes) =>
      changes.insert('models', {
        model_id: modelId,
        kind: 'base',
        owner,
        weights_hash: weightsHash,
        name,
        architecture,
        uri,
        ...at,
      }),
    AdapterRegistered: (args, at, changes) =>
      changes.insert('models', {
        model_id: args.modelId,
        kind: 'adapter',
        owner: args.owner,
        parent_id: args.parentId,
        job_id: args.jobId,
        datanet_id: args.datanetId,
        datanet_version: args.datanetVersion,
        weights_hash: args.weightsHash,
        config_hash: args.configHash,
        name: args.name,
        ...at,
      }),
    EvaluationRecorded: (args, at, changes) =>
      changes.insert('evaluations', {
        model_id: args.modelId,
        suite: args.suite,
        suite_name: suiteName(args.suite),
        evaluator: args.evaluator,
        base_loss_micros: args.baseLossMicros,
        model_loss_micros: args.modelLossMicros,
        tokens: args.tokens,
        regressed: args.regressed,
        report_hash: args.reportHash,
        ...at,
      }),
    ModelDeployed: ({ modelId, inputPrice, outputPrice }, _at, changes) =>
      changes.update(
        'models',
        { model_id: modelId },
        { deployed: true, input_price: inputPrice, output_price: outputPrice },
      ),
    ModelRetired: ({ modelId }, _at, changes) => changes.update('models', { model_id: modelId }, { deployed: false }),
    ModelOwnershipTransferred: ({ modelId, to }, _at, changes) =>
      changes.update('models', { model_id: modelId }, { owner: to }),
  },
};
