import { type AttributionPage, outputHeadAt, outputIdOf } from '@openledger/contracts';
import type { Changes } from '../changes.ts';
import { blockOfPosition, positionOf } from '../position.ts';
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
    recordContributions(page, at, changes);
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
  const output = outputHeadAt(page, index);
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

type Sum = { outputs: number; weight: bigint };

/** Sums of the blocks that are written together, by method and contribution: rows hold sums, not differences. */
const sumsOf = new WeakMap<Changes, Map<number, Map<number, Sum>>>();

const recordContributions = (page: AttributionPage, { position }: Occurrence, changes: Changes): void => {
  const sums = sumsOf.get(changes) ?? new Map<number, Map<number, Sum>>();
  sumsOf.set(changes, sums);
  const touched = new Map<number, Set<number>>();
  for (let index = 0; index < page.size; index++) {
    const method = page.methods[index] as number;
    const byContribution = getOrMake(sums, method, () => new Map<number, Sum>());
    const ofMethod = getOrMake(touched, method, () => new Set<number>());
    for (let row = page.rowOffsets[index] as number; row < (page.rowOffsets[index + 1] as number); row++) {
      const contribution = page.contributionIds[row] as number;
      const sum = getOrMake(byContribution, contribution, () => ({ outputs: 0, weight: 0n }));
      sum.outputs += 1;
      sum.weight += BigInt(page.weights[row] as number);
      ofMethod.add(contribution);
    }
  }
  const block = positionOf(blockOfPosition(position), 0);
  for (const [method, contributions] of touched) {
    for (const contribution of contributions) {
      const { outputs = 0, weight = 0n } = sums.get(method)?.get(contribution) ?? {};
      const key = { contribution_id: BigInt(contribution), position: block, method };
      changes.insert('contribution_blocks', { ...key, outputs, weight });
    }
  }
};

const getOrMake = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
};
