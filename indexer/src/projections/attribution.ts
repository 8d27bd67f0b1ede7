import { type AttributionPage, outputAt, outputIdOf } from '@openledger/contracts';
import type { Changes } from '../changes.ts';
import type { Occurrence, Projection } from './projection.ts';

/** Attribution batches: outputs, and which contributions shaped each with which weight. */
export const attribution: Projection = {
  name: 'attribution',
  on: {
    BatchAppended: ({ batchIndex, runner, pageCount, pagesRoot, settlementsHash, head }, at, changes) =>
      changes.insert('batches', {
        batch_index: batchIndex,
        runner,
        page_count: pageCount,
        pages_root: pagesRoot,
        settlements_hash: settlementsHash,
        head,
        ...at,
      }),
    PageRejected: ({ batchIndex, page, reason }, { position }, changes) =>
      changes.insert('rejected_pages', { position, batch_index: batchIndex, page, reason }),
  },
  onPage: (page, { batchIndex }, at, changes) => {
    for (let index = 0; index < page.size; index++) recordOutput(page, index, batchIndex, at, changes);
    recordContributions(page, batchIndex, at, changes);
    const counts = { output_count: BigInt(page.size), attribution_count: BigInt(page.weights.length) };
    changes.update('batches', { batch_index: batchIndex }, {}, counts);
  },
};

const recordOutput = (
  page: AttributionPage,
  index: number,
  batchIndex: bigint,
  { position, timestamp }: Occurrence,
  changes: Changes,
): void => {
  const output = outputAt(page, index);
  const rows = [page.rowOffsets[index] as number, page.rowOffsets[index + 1] as number] as const;
  changes.insert('outputs', {
    // An output comes after the page's event and the outputs before it, each with its attributions.
    position: position + 1 + index + rows[0],
    timestamp,
    output_id: outputIdOf(output),
    batch_index: batchIndex,
    model_id: output.modelId,
    source_kind: output.sourceKind,
    source_id: output.sourceId,
    nonce: Number(output.nonce),
    prompt_hash: output.promptHash,
    output_hash: output.outputHash,
    prompt_tokens: output.promptTokens,
    output_tokens: output.outputTokens,
    fee_weight: output.feeWeight,
    method: output.method,
    contribution_ids: [...page.contributionIds.subarray(...rows)],
    weights: [...page.weights.subarray(...rows)],
  });
  changes.update('models', { model_id: output.modelId }, {}, { output_count: 1n });
};

/** Sums over the page first: a contribution occurs in many of its outputs. */
const recordContributions = (
  page: AttributionPage,
  batchIndex: bigint,
  { position }: Occurrence,
  changes: Changes,
): void => {
  const sums = new Map<number, Map<number, { outputs: bigint; weight: bigint }>>();
  for (let index = 0; index < page.size; index++) {
    const method = page.methods[index] as number;
    const byContribution = sums.get(method) ?? new Map<number, { outputs: bigint; weight: bigint }>();
    sums.set(method, byContribution);
    for (let row = page.rowOffsets[index] as number; row < (page.rowOffsets[index + 1] as number); row++) {
      const contribution = page.contributionIds[row] as number;
      const sum = byContribution.get(contribution) ?? { outputs: 0n, weight: 0n };
      byContribution.set(contribution, sum);
      sum.outputs += 1n;
      sum.weight += BigInt(page.weights[row] as number);
    }
  }
  for (const [method, byContribution] of sums) {
    for (const [contribution, sum] of byContribution) {
      const contributionId = BigInt(contribution);
      changes.upsert('contribution_weights', { contribution_id: contributionId, method }, {}, sum);
      const key = { contribution_id: contributionId, batch_index: batchIndex };
      changes.insert('contribution_batches', { ...key, position });
    }
  }
};
