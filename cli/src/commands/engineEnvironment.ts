import { fileURLToPath } from 'node:url';
import { defaultCacheDir, prepareVenv } from '@openledger/gpu-runner';
import { type ConfigOf, type ConfigTable, type Logger, parseText } from '@openledger/kit';

export const engineDir = fileURLToPath(new URL('../../../gpu-runner/engine', import.meta.url));

/** What every process with an engine can be told about its Python. */
export const pythonOptions = {
  cacheDir: {
    flag: 'cache-dir',
    description: 'folder for the engine’s Python environment',
    parse: parseText,
    default: '',
  },
  python: {
    flag: 'python',
    description: 'interpreter that has the engine’s requirements; made when empty',
    parse: parseText,
    default: '',
  },
} satisfies ConfigTable;

/** The interpreter that was named, or that of the environment, which is made on first use. */
export const pythonOf = async (config: ConfigOf<typeof pythonOptions>, log: Logger): Promise<string> =>
  config.python ||
  prepareVenv({
    requirements: `${engineDir}/requirements.txt`,
    cacheDir: config.cacheDir || defaultCacheDir(process.env),
    onProgress: (line) => log.info({ progress: line }, 'engine environment'),
  });
