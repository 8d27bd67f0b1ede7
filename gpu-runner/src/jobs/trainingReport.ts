import { type Influence, influenceOfReport, MAX_REPORT_BYTES } from '@openledger/client';
import { zeroHash } from 'viem';
import type { Model } from '../chain/runnerView.ts';
import type { ContentHash, ContentStore } from '../store/contentStore.ts';
import type { TrainResult } from './training.ts';

/** What a training tells beside its adapter. Its sha256 is the `reportHash` of the evaluations that it is committed with. */
export const reportOf = (jobId: bigint, result: TrainResult): Uint8Array => {
  const { evaluations, loss_curve, validation_curve, warnings, dataset_root, influence } = result;
  const told = { dataset_root, evaluations, loss_curve, validation_curve, warnings };
  return Buffer.from(JSON.stringify({ job: jobId.toString(), ...told, ...(influence ? { influence } : {}) }));
};

/** Its hash, where the chain has one: none for a base. */
export const reportOfModel = (model: Pick<Model, 'reportHash'> | undefined): ContentHash[] =>
  model && model.reportHash !== zeroHash ? [model.reportHash.slice(2)] : [];

/**
 * How influence weighs the evidence in a model's answers; undefined where evidence alone pays, as for a base.
 * @throws FILE_UNKNOWN when the report isn't in the store
 */
export const influenceOf = async (
  model: Pick<Model, 'reportHash'> | undefined,
  store: Pick<ContentStore, 'ensure' | 'size' | 'get'>,
): Promise<Influence | undefined> => {
  const [report] = reportOfModel(model);
  if (report === undefined) return undefined;
  await store.ensure(report);
  return (await store.size(report)) > MAX_REPORT_BYTES ? undefined : influenceOfReport(await store.get(report));
};
