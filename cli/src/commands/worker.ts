import { startWorker } from '@openledger/gpu-runner';
import { type ConfigOf, type ConfigTable, createLogger, type LogLevel, parseText } from '@openledger/kit';
import { defineCommand, list, shared } from '../options.ts';
import { readSecret } from '../signingKey.ts';
import { engineDir, engineMemoryOf, pythonOf, pythonOptions } from './engineEnvironment.ts';
import { runUntilStopped } from './runUntilStopped.ts';

const workerConfig = {
  dataDir: {
    flag: 'datadir',
    description: 'folder of files, adapters and checkpoints',
    parse: parseText,
    default: '.openledger/worker',
  },
  queueUrl: {
    flag: 'fleet.queue-url',
    description: 'Redis or PostgreSQL URL of the queue that the runner puts training into',
    parse: parseText,
    secret: true,
  },
  filesUrl: {
    flag: 'fleet.files-url',
    description: 'the runner’s file server for workers',
    parse: parseText,
    default: 'http://127.0.0.1:8010',
  },
  tokenFile: {
    flag: 'fleet.token-file',
    description: 'file with the fleet’s token (mode 0600)',
    parse: parseText,
  },
  baseModels: {
    flag: 'base-models',
    description: 'folders of base models, comma separated',
    parse: list,
    default: ['gpu-runner/models/openledger-small'],
  },
  ...pythonOptions,
  logLevel: shared.logLevel,
} satisfies ConfigTable;

/** `openledger worker`: a machine that trains for a runner; it has no key. */
const run = async (config: ConfigOf<typeof workerConfig>): Promise<void> => {
  const log = createLogger({ name: 'worker', level: config.logLevel as LogLevel });
  const { dataDir, queueUrl, filesUrl, baseModels } = config;
  const token = readSecret(config.tokenFile, workerConfig.tokenFile.flag);
  const python = await pythonOf(config, log);
  const engineMemoryBytes = engineMemoryOf(config);
  const worker = await startWorker(
    { dataDir, queueUrl, filesUrl, token, baseModels, python, engineDir, engineMemoryBytes },
    { log },
  );
  await runUntilStopped(worker, log);
};

export const command = defineCommand('a worker: trains for a runner on another machine', workerConfig, run);
