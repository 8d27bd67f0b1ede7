import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '@openledger/kit';
import { runnerError } from '../errors.ts';

const exec = promisify(execFile);
const READY = 'ready';

/** The user's cache folder, so that a second clone finds the environment of the first. */
export const defaultCacheDir = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'openledger');

const findPython = async (): Promise<string> => {
  for (const candidate of ['python3.12', 'python3.11', 'python3.10', 'python3', 'python']) {
    try {
      const { stdout } = await exec(candidate, ['-c', 'import sys, venv; print(sys.version_info >= (3, 10))']);
      if (stdout.trim() === 'True') return candidate;
    } catch {
      // Not there, or without venv: try the next name.
    }
  }
  throw runnerError('ENGINE_START_FAILED', 'no Python 3.10 or newer with venv was found');
};

/**
 * The engine's own Python environment, made on first use under the hash of its requirements. A marker is written last, so
 * that an interrupted install is never taken for a whole one; of several processes one installs and the others wait.
 * Returns the interpreter.
 */
export const prepareVenv = async (options: {
  requirements: string;
  cacheDir: string;
  onProgress(line: string): void;
}): Promise<string> => {
  const text = await readFile(options.requirements, 'utf8');
  const python = await findPython();
  const { stdout: version } = await exec(python, ['--version']);
  const hash = createHash('sha256').update(text).update(version).digest('hex').slice(0, 16);
  const target = join(options.cacheDir, `engine-${hash}`);
  const interpreter = join(target, 'bin', 'python');
  if (existsSync(join(target, READY))) return interpreter;
  await mkdir(options.cacheDir, { recursive: true });
  const unlock = await lockOrWait(target);
  if (!unlock) return interpreter;
  options.onProgress(`making the Python environment of the engine (once; ${version.trim()})`);
  try {
    await install(python, target, interpreter, options, text);
  } finally {
    await unlock();
  }
  options.onProgress('Python environment is ready');
  return interpreter;
};

const POLL_MS = 1_000;
/** Who has the lock touches it this often; one that nobody touched for longer belongs to a process that died. */
const HEARTBEAT_MS = 5_000;
const STALE_LOCK_MS = 60_000;

/** The lock on `target`, or undefined when another process has finished the install meanwhile. */
const lockOrWait = async (target: string): Promise<(() => Promise<void>) | undefined> => {
  const lock = `${target}.lock`;
  for (;;) {
    if (existsSync(join(target, READY))) return undefined;
    try {
      await mkdir(lock);
      const heartbeat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS);
      const unlock = () => {
        clearInterval(heartbeat);
        return rm(lock, { recursive: true, force: true });
      };
      // Another one may have finished between the question above and the lock: what it made must not be made anew under it.
      if (!existsSync(join(target, READY))) return unlock;
      await unlock();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const age = await stat(lock).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > STALE_LOCK_MS) await rm(lock, { recursive: true, force: true });
      else await sleep(POLL_MS);
    }
  }
};

const install = async (
  python: string,
  target: string,
  interpreter: string,
  options: { requirements: string; onProgress(line: string): void },
  text: string,
): Promise<void> => {
  await rm(target, { recursive: true, force: true });
  await exec(python, ['-m', 'venv', target]);
  await pipInstall(interpreter, options.requirements, options.onProgress);
  const marker = join(target, `.${READY}`);
  await writeFile(marker, text);
  await rename(marker, join(target, READY));
};

const pipInstall = (interpreter: string, requirements: string, onProgress: (line: string) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    // Few retries: where an index can't be reached, pip would otherwise wait for minutes on each package.
    const args = ['-m', 'pip', 'install', '--retries', '1', '--disable-pip-version-check', '-r', requirements];
    const child = spawn(interpreter, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    const onLine = (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-2_000);
      for (const line of chunk.toString().split('\n')) {
        if (/^(Collecting|Installing|Successfully)/.test(line)) onProgress(line.slice(0, 160));
      }
    };
    child.stdout.on('data', onLine);
    child.stderr.on('data', onLine);
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(runnerError('ENGINE_START_FAILED', `pip install failed: ${tail.trim()}`)),
    );
  });
