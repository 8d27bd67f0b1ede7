import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { defaultCacheDir, prepareVenv } from '../src/index.ts';

const engineDir = fileURLToPath(new URL('../engine', import.meta.url));
/** A first run downloads PyTorch. */
const TIMEOUT_MS = 15 * 60_000;

const run = (python: string, args: string[]): Promise<{ code: number | string; output: string }> =>
  new Promise((resolve) => {
    const options = { cwd: engineDir, maxBuffer: 64 * 1024 * 1024 };
    execFile(python, args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? error?.signal ?? 0, output: stdout + stderr }),
    );
  });

const succeeds = async (python: string, args: string[]): Promise<void> => {
  const { code, output } = await run(python, args);
  expect(code, `python ${args.join(' ')}\n${output.slice(-6_000)}`).toBe(0);
};

it(
  'the engine passes its own tests in the environment that the runner makes for it',
  async () => {
    const python = await prepareVenv({
      requirements: `${engineDir}/requirements.txt`,
      cacheDir: defaultCacheDir(process.env),
      onProgress: () => {},
    });
    const install = ['-m', 'pip', 'install', '--retries', '1', '--disable-pip-version-check', '-q'];
    await succeeds(python, [...install, '-r', 'requirements-dev.txt']);
    await succeeds(python, ['-m', 'pytest', '-q', 'tests']);
  },
  TIMEOUT_MS,
);
