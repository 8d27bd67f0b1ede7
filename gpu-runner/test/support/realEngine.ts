import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silentLogger } from '@openledger/kit';
import { EngineProcess } from '../../src/engine/engineProcess.ts';
import { defaultCacheDir, prepareVenv } from '../../src/index.ts';

export const enginePackage = fileURLToPath(new URL('../../engine', import.meta.url));

/** The interpreter of the environment that a runner makes for its engine. */
export const enginePython = (): Promise<string> =>
  prepareVenv({
    requirements: `${enginePackage}/requirements.txt`,
    cacheDir: defaultCacheDir(process.env),
    onProgress: () => {},
  });

/** The Python engine itself, in the environment that a runner makes for it. */
export const startRealEngine = async (): Promise<EngineProcess> =>
  new EngineProcess({ python: await enginePython(), packageDir: enginePackage, log: silentLogger });

/** A LLaMA of two small layers with random weights: what it computes takes seconds, and is real. */
export const makeTinyBase = async (folder: string): Promise<string> => {
  const program = 'import pathlib, sys, tiny; tiny.make("llama", pathlib.Path(sys.argv[1]))';
  const env = { ...process.env, PYTHONPATH: [enginePackage, join(enginePackage, 'tests')].join(delimiter) };
  await promisify(execFile)(await enginePython(), ['-c', program, folder], { env });
  return folder;
};
