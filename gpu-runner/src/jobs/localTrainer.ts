import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isOpenLedgerError } from '@openledger/kit';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { sweepWork } from './sweepWork.ts';
import { type AdapterFiles, adapterFileNames, type Trainer, type TrainResult } from './training.ts';

export type LocalTrainerModules = {
  store: ContentStore;
  models: ModelLocator;
  engine: Engine;
  /** Work in progress: a folder for each, with the checkpoints that a killed run goes on from. */
  workDir: string;
};

/** Share of the rows that is kept for the evaluation, in basis points. */
const HELD_OUT_BPS = 1_000;

/** As long as a timer can wait. The job's deadline comes first: then it is paid back, and its training called off. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Trains with this machine's engine. The folder of checkpoints stays until the work has succeeded or can't: a run that was
 * killed or called off goes on from there.
 * @throws JOB_NOT_HERE, ENGINE_*
 */
export const localTrainer = (modules: LocalTrainerModules): Trainer => {
  const { store, models, engine, workDir } = modules;
  return async (work, { signal, leaving, onEvent }) => {
    const base = models.base(work.base);
    if (!base) throw runnerError('JOB_NOT_HERE', `the base model ${work.base} is not on this machine`);
    for (const { sha256 } of work.files) await store.ensure(sha256);
    const folder = join(workDir, work.id);
    const output = join(folder, 'adapter');
    await mkdir(workDir, { recursive: true });
    // Before this work's own folder is made: an old one is swept, too, and would be gone under the engine.
    await sweepWork(workDir);
    await mkdir(output, { recursive: true });
    const parent = work.parent && (await parentFolder(work.parent, join(folder, 'parent'), modules));
    try {
      const result = await engine.request<TrainResult>(
        'train',
        {
          base: base.folder,
          ...(parent ? { parent_adapter: parent } : {}),
          files: work.files.map(({ contributionId, sha256, format }) => ({
            contribution_id: contributionId,
            path: store.path(sha256),
            format,
          })),
          heldout_share_bps: HELD_OUT_BPS,
          params: work.params,
          output,
          ...(base.general ? { general_path: base.general } : {}),
        },
        {
          onEvent,
          timeoutMs: LONGEST_MS,
          signal: AbortSignal.any([signal, leaving].filter((one) => one !== undefined)),
        },
      );
      const adapter = await keep(output, result, modules);
      await rm(folder, { recursive: true, force: true });
      return { result, adapter };
    } catch (error) {
      // What can never work needs no checkpoint.
      if (isOpenLedgerError(error, 'ENGINE_REFUSED')) await rm(folder, { recursive: true, force: true });
      throw error;
    }
  };
};

const keep = async (output: string, result: TrainResult, { store, models }: LocalTrainerModules) => {
  const adapter = await storeAdapter(output, store);
  if (adapter.weights !== result.weights_sha256 || adapter.record !== result.config_sha256) {
    throw runnerError('ENGINE_FAILED', 'the adapter on disk is not the one that the engine told of');
  }
  await models.keepAdapter(output, adapter.weights);
  return adapter;
};

/** Puts an adapter's files into the store, where other machines can have them. */
export const storeAdapter = async (folder: string, store: ContentStore): Promise<AdapterFiles> => ({
  weights: await store.putFile(join(folder, adapterFileNames.weights)),
  config: await store.putFile(join(folder, adapterFileNames.config)),
  record: await store.putFile(join(folder, adapterFileNames.record)),
});

/** An adapter's files under their names in a folder that is there. @throws FILE_UNKNOWN */
export const copyAdapter = async (files: AdapterFiles, folder: string, store: ContentStore): Promise<void> => {
  for (const part of ['weights', 'config', 'record'] as const) {
    await store.ensure(files[part]);
    await store.copyTo(files[part], join(folder, adapterFileNames[part]));
  }
};

/** The adapter that is refined, as a folder; from the store where it was trained elsewhere. */
const parentFolder = async (
  parent: AdapterFiles,
  target: string,
  { store, models }: LocalTrainerModules,
): Promise<string> => {
  if (models.hasAdapter(parent.weights)) return models.adapterFolder(parent.weights);
  await rm(target, { recursive: true, force: true });
  await mkdir(`${target}.partial`, { recursive: true });
  await copyAdapter(parent, `${target}.partial`, store);
  await rename(`${target}.partial`, target);
  return target;
};
