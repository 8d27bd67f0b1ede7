import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import { copyAdapter } from '../jobs/localTrainer.ts';
import type { AdapterFiles } from '../jobs/training.ts';
import { reportOfModel } from '../jobs/trainingReport.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import type { TranscriptSource } from './auditedRunner.ts';

/**
 * Takes over an adapter from the runner that serves it. The chain has the hashes of its weights and of its training's record, and
 * the record that of its configuration: so none of the three can be another one.
 * @throws TRANSCRIPT_INVALID, PEER_*
 */
export const fetchAdapter = async (
  model: Pick<Model, 'weightsHash' | 'configHash' | 'reportHash'>,
  files: AdapterFiles,
  runner: TranscriptSource,
  { models, store }: { models: ModelLocator; store: ContentStore },
): Promise<void> => {
  const [weights, record] = [model.weightsHash.slice(2), model.configHash.slice(2)];
  if (files.weights !== weights || files.record !== record) {
    throw runnerError('TRANSCRIPT_INVALID', 'it names another adapter than the chain');
  }
  await runner.fetchInto(store, [record]);
  const named = JSON.parse(Buffer.from(await store.get(record)).toString('utf8')) as {
    adapter_config_sha256?: unknown;
  };
  if (named.adapter_config_sha256 !== files.config) {
    throw runnerError('TRANSCRIPT_INVALID', 'its adapter configuration is not that of the training’s record');
  }
  // What answers of the adapter pay for follows from the report.
  await runner.fetchInto(store, [files.config, ...reportOfModel(model), weights]);
  const folder = await mkdtemp(join(tmpdir(), 'openledger-adapter-'));
  try {
    await copyAdapter(files, folder, store);
    await models.keepAdapter(folder, weights);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
