import { fileURLToPath } from 'node:url';
import { defaultCacheDir, prepareVenv } from '@openledger/gpu-runner';

/** The interpreter of the engine's own environment, made when it isn't there. */
export const enginePython = (): Promise<string> =>
  prepareVenv({
    requirements: fileURLToPath(new URL('../../gpu-runner/engine/requirements.txt', import.meta.url)),
    cacheDir: defaultCacheDir(process.env),
    onProgress: (line) => console.error(line),
  });
