import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defaultCacheDir, prepareVenv } from '@openledger/gpu-runner';
import { type ConfigOf, type ConfigTable, type Logger, parseInteger, parseText } from '@openledger/kit';

export const engineDir = fileURLToPath(new URL('../../../gpu-runner/engine', import.meta.url));

/** What every process with an engine can be told about its Python. */
export const pythonOptions = {
  cacheDir: {
    flag: 'cache-dir',
    description: 'folder for the engine’s Python environment',
    parse: parseText,
    default: '',
  },
  engineMemory: {
    flag: 'engine.memory',
    description: 'MiB of memory that the engine may have; four fifths of the machine’s when 0',
    parse: parseInteger(0),
    default: 0,
  },
  python: {
    flag: 'python',
    description: 'interpreter that has the engine’s requirements; made when empty',
    parse: parseText,
    default: '',
  },
} satisfies ConfigTable;

/** Bytes. The rest of the machine is left to the runner, and to its database. */
export const engineMemoryOf = ({ engineMemory }: ConfigOf<typeof pythonOptions>): number =>
  engineMemory ? engineMemory * 2 ** 20 : Math.floor(totalmem() * 0.8);

/** The interpreter that was named, or that of the environment, which is made on first use. */
export const pythonOf = async (config: ConfigOf<typeof pythonOptions>, log: Logger): Promise<string> =>
  config.python ||
  prepareVenv({
    requirements: `${engineDir}/requirements.txt`,
    cacheDir: config.cacheDir || defaultCacheDir(process.env),
    onProgress: (line) => log.info({ progress: line }, 'engine environment'),
  });
