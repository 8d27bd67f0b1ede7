export { deadLettersOf } from './admin/jobAdmin.ts';
export { type KeyAdmin, withKeyAdmin } from './admin/keyAdmin.ts';
export { defaultCacheDir, prepareVenv } from './engine/prepareVenv.ts';
export { type RunnerOptions, type RunningRunner, startRunner } from './runner.ts';
export { hashFile } from './store/contentStore.ts';
export { startWorker, type WorkerOptions } from './worker.ts';
