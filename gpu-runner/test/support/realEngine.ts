import { fileURLToPath } from 'node:url';
import { silentLogger } from '@openledger/kit';
import { EngineProcess } from '../../src/engine/engineProcess.ts';
import { defaultCacheDir, prepareVenv } from '../../src/index.ts';

/** The Python engine itself, in the environment that a runner makes for it. */
export const startRealEngine = async (): Promise<EngineProcess> => {
  const packageDir = fileURLToPath(new URL('../../engine', import.meta.url));
  const python = await prepareVenv({
    requirements: `${packageDir}/requirements.txt`,
    cacheDir: defaultCacheDir(process.env),
    onProgress: () => {},
  });
  return new EngineProcess({ python, packageDir, log: silentLogger });
};
