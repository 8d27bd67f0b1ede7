import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultCacheDir, prepareVenv } from '../src/index.ts';
import { tempFolder } from './support/database.ts';

/**
 * Stands for the system's Python and for that of a new environment, which is a copy of it. Every call is a line of `calls`;
 * pip fails when there is a file `broken`.
 */
const interpreter = (folder: string) => `#!/bin/sh
echo "$*" >> ${folder}/calls
case "$*" in
  -c*) echo True ;;
  --version) cat ${folder}/version ;;
  "-m venv "*) mkdir -p "$3/bin" && cp ${folder}/bin/python3.12 "$3/bin/python" ;;
  "-m pip "*)
    if [ -e ${folder}/broken ]; then echo "no such package" >&2; exit 1; fi
    echo "Collecting torch" ;;
esac
`;

describe('prepareVenv', () => {
  let folder: string;
  let cacheDir: string;
  let requirements: string;
  let progress: string[];
  beforeEach(() => {
    folder = tempFolder();
    cacheDir = join(folder, 'cache');
    requirements = join(folder, 'requirements.txt');
    progress = [];
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin', 'python3.12'), interpreter(folder));
    chmodSync(join(folder, 'bin', 'python3.12'), 0o755);
    write('version', 'Python 3.12.1');
    write('requirements.txt', 'torch==2\n');
    vi.stubEnv('PATH', `${join(folder, 'bin')}:/usr/bin:/bin`);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, text = '') => writeFileSync(join(folder, name), text);
  const prepare = () => prepareVenv({ requirements, cacheDir, onProgress: (line) => progress.push(line) });
  const installs = () =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('-m pip'));
  const environments = () => readdirSync(cacheDir).filter((name) => !name.endsWith('.lock'));

  it('installs the requirements into an environment of their own, once', async () => {
    const python = await prepare();
    expect(python).toMatch(new RegExp(`^${cacheDir}/engine-[0-9a-f]{16}/bin/python$`));
    expect(existsSync(python)).toBe(true);
    expect(installs()).toEqual([`-m pip install --retries 1 --disable-pip-version-check -r ${requirements}`]);
    expect(progress).toEqual([expect.stringContaining('Python 3.12.1'), 'Collecting torch', expect.any(String)]);
    expect(await prepare()).toBe(python);
    expect(installs()).toHaveLength(1);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it('makes another one for other requirements or another Python', async () => {
    await prepare();
    write('requirements.txt', 'torch==3\n');
    await prepare();
    write('version', 'Python 3.13.0');
    await prepare();
    expect(environments()).toHaveLength(3);
  });

  it('says what pip said when it fails, and starts over the next time', async () => {
    write('broken');
    await expect(prepare()).rejects.toMatchObject({
      code: 'ENGINE_START_FAILED',
      message: expect.stringContaining('no such package'),
    });
    rmSync(join(folder, 'broken'));
    const left = join(cacheDir, environments()[0] as string, 'left-over');
    writeFileSync(left, '');
    await expect(prepare()).resolves.toBeDefined();
    expect(installs()).toHaveLength(2);
    expect(existsSync(left)).toBe(false);
  });

  it('installs once when several ask at the same time', async () => {
    const [first, second] = await Promise.all([prepare(), prepare()]);
    expect(second).toBe(first);
    expect(installs()).toHaveLength(1);
  });

  it('takes the lock of a process that died long ago', async () => {
    const lock = `${(await prepare()).replace(/\/bin\/python$/, '')}.lock`;
    rmSync(join(cacheDir, environments()[0] as string), { recursive: true });
    mkdirSync(lock);
    const longAgo = Date.now() / 1000 - 3_600;
    utimesSync(lock, longAgo, longAgo);
    await prepare();
    expect(installs()).toHaveLength(2);
    expect(existsSync(lock)).toBe(false);
  });

  it('waits for the process that has the lock, and takes what it made', async () => {
    const target = (await prepare()).replace(/\/bin\/python$/, '');
    const ready = join(target, 'ready');
    rmSync(ready);
    mkdirSync(`${target}.lock`);
    const waiting = prepare();
    // The other process finishes: first the marker, then the lock. What it made must stay.
    await vi.waitFor(() => expect(readFileSync(join(folder, 'calls'), 'utf8').match(/--version/g)).toHaveLength(2));
    writeFileSync(ready, '');
    rmSync(`${target}.lock`, { recursive: true });
    await waiting;
    expect(installs()).toHaveLength(1);
  });

  it('throws when the cache folder can not be written', async () => {
    write('cache');
    await expect(prepare()).rejects.toThrow(/EEXIST|ENOTDIR/);
  });

  it('says that there is no Python', async () => {
    vi.stubEnv('PATH', '/nowhere');
    await expect(prepare()).rejects.toMatchObject({ code: 'ENGINE_START_FAILED', handling: 'fatal' });
  });
});

describe('defaultCacheDir', () => {
  it('is the user’s', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/cache' })).toBe('/cache/openledger');
    expect(defaultCacheDir({})).toMatch(/\/\.cache\/openledger$/);
  });
});
