import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLifecycle, describeError, isOpenLedgerError, type Logger } from '@openledger/kit';
import { EngineProcess } from './engine/engineProcess.ts';
import { type FleetAnswer, openFleetQueue } from './jobs/fleetTrainer.ts';
import { localTrainer } from './jobs/localTrainer.ts';
import type { TrainingWork } from './jobs/training.ts';
import { openSharedBackend } from './queue/backend.ts';
import type { TaskContext } from './queue/taskQueue.ts';
import { FleetStore } from './store/fleetStore.ts';
import { ModelLocator } from './store/modelLocator.ts';

export type WorkerOptions = {
  dataDir: string;
  /** The queue that the runner puts training into. */
  queueUrl: string;
  /** The runner's file server, and the token for both. */
  filesUrl: string;
  token: string;
  baseModels: readonly string[];
  python: string;
  engineDir: string;
  /** Memory that the engine's process may have; no limit when 0. */
  engineMemoryBytes: number;
};

/**
 * Composition root of a worker: a machine that trains for a runner. It has no key, no chain and no clients; what it gives back
 * counts only once the runner has put it on chain.
 */
export const startWorker = async (
  options: WorkerOptions,
  { log }: { log: Logger },
): Promise<{ close(): Promise<void> }> => {
  const lifecycle = createLifecycle(log);
  const path = (name: string) => join(options.dataDir, name);
  try {
    for (const name of ['files', 'work']) mkdirSync(path(name), { recursive: true });
    const models = await ModelLocator.open(path('adapters'), options.baseModels);
    const store = new FleetStore(path('files'), { url: options.filesUrl, token: options.token });
    const { python, engineDir, engineMemoryBytes } = options;
    const engine = new EngineProcess({ python, packageDir: engineDir, memoryBytes: engineMemoryBytes, log });
    lifecycle.add({ name: 'engine', close: () => engine.close() });
    const train = localTrainer({ store, models, engine, workDir: path('work') });
    const backend = await openSharedBackend(options.queueUrl);
    lifecycle.add({ name: 'queue connection', close: backend.close });

    const handler = async (work: TrainingWork, { signal, report }: TaskContext): Promise<FleetAnswer> => {
      log.info({ work: work.id }, 'training');
      try {
        const outcome = await train(work, {
          signal,
          leaving: lifecycle.signal,
          onEvent: (event) => report({ ...event }),
        });
        log.info({ work: work.id, weights: outcome.adapter.weights }, 'trained');
        return { outcome };
      } catch (error) {
        if (!isOpenLedgerError(error, 'ENGINE_REFUSED')) throw error;
        return { refused: { message: describeError(error), code: String(error.meta.code ?? error.code) } };
      }
    };
    const queue = await openFleetQueue({ backend, handler, log });
    lifecycle.add({ name: 'queue', close: queue.close });
    log.info({ files: options.filesUrl }, 'worker is up');
    return { close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
};
