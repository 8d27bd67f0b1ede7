import type { Changes } from '../changes.ts';
import type { Projection } from './projection.ts';

type OutputRef = { position: number; method: number };

/** An attribution names its output by batch and id; both stand in the same transaction, so nothing has to be looked up. */
const outputsOf = new WeakMap<Changes, Map<string, OutputRef>>();

const rememberOutput = (changes: Changes, key: string, ref: OutputRef): void => {
  const outputs = outputsOf.get(changes) ?? new Map<string, OutputRef>();
  outputsOf.set(changes, outputs.set(key, ref));
};

/** Attribution batches: outputs, and which contribution shaped each with which weight. */
export const attribution: Projection = {
  name: 'attribution',
  on: {
    BatchAppended: ({ batchIndex, runner, version, count, batchHash, head }, at, changes) =>
      changes.insert('batches', {
        batch_index: batchIndex,
        runner,
        version,
        count,
        batch_hash: batchHash,
        head,
        ...at,
      }),
    BatchRejected: ({ batchIndex, reason }, _at, changes) =>
      changes.update('batches', { batch_index: batchIndex }, { rejected_reason: reason }),
    OutputRecorded: (args, at, changes) => {
      changes.insert('outputs', {
        output_id: args.outputId,
        batch_index: args.batchIndex,
        model_id: args.modelId,
        source_kind: args.sourceKind,
        source_id: args.sourceId,
        prompt_hash: args.promptHash,
        output_hash: args.outputHash,
        prompt_tokens: args.promptTokens,
        output_tokens: args.outputTokens,
        fee_weight: args.feeWeight,
        method: args.method,
        ...at,
      });
      changes.update('models', { model_id: args.modelId }, {}, { output_count: 1n });
      rememberOutput(changes, `${args.batchIndex} ${args.outputId}`, { position: at.position, method: args.method });
    },
    AttributionRecorded: ({ batchIndex, outputId, contributionId, weight }, { position }, changes) => {
      const output = outputsOf.get(changes)?.get(`${batchIndex} ${outputId}`);
      if (!output) return;
      changes.insert('attributions', {
        position,
        output_position: output.position,
        contribution_id: contributionId,
        weight,
        method: output.method,
      });
      changes.upsert(
        'contribution_weights',
        { contribution_id: contributionId, method: output.method },
        {},
        { outputs: 1n, weight },
      );
    },
  },
};
