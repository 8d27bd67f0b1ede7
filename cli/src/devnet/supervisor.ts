import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OpenLedgerError, sleep } from '@openledger/kit';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const STOP_MS = 10_000;

export type ChildSpec = {
  readonly name: string;
  /** Command of this CLI and its flags. */
  readonly command: string;
  readonly flags: Readonly<Record<string, string | number>>;
  /** A URL that answers 200 when the process can be used, and seconds within which it has to; nobody waits for others. */
  readonly readyUrl?: string;
  readonly readyWithin?: number;
  /** Lines that a person wants to see while waiting. */
  onProgress?(line: string): void;
};

export type Child = {
  readonly name: string;
  /** Resolves when it answers; rejects with PROCESS_FAILED and the end of its log when it ended or took too long. */
  readonly ready: Promise<void>;
  readonly exited: Promise<string>;
  stop(): Promise<void>;
};

/** Starts a process of ours with its log in `<logDir>/<name>.log`. It ends with us: its stdin is a pipe from this process. */
export const startChild = (spec: ChildSpec, logDir: string): Child => {
  const child = launch(spec, logDir);
  const ready = waitUntilReady(spec, child.exited);
  // Whoever awaits it later still gets the error; until then it must not end the process unhandled.
  ready.catch(() => {});
  return { ...child, ready };
};

const waitUntilReady = async (spec: ChildSpec, exited: Promise<string>): Promise<void> => {
  const { readyUrl, readyWithin = 0 } = spec;
  if (!readyUrl) return;
  const deadline = Date.now() + readyWithin * 1000;
  let ended: string | undefined;
  void exited.then((reason) => {
    ended = reason;
  });
  while (Date.now() < deadline) {
    if (ended !== undefined) throw failed(spec.name, ended);
    const answer = await fetch(readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw failed(spec.name, `not ready after ${readyWithin} s`);
};

const failed = (name: string, reason: string) =>
  new OpenLedgerError(`${name} failed: ${reason}`, {
    code: 'PROCESS_FAILED',
    handling: 'fatal',
    action: 'See its log in the data directory; a port that is taken can be avoided with --port-offset.',
  });

const launch = (spec: ChildSpec, logDir: string): Omit<Child, 'ready'> => {
  mkdirSync(logDir, { recursive: true });
  const flags = Object.entries(spec.flags).map(([flag, value]) => `--${flag}=${value}`);
  const process_: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', MAIN, ...spec.command.split(' '), ...flags],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, OPENLEDGER_SUPERVISED: '1' },
    },
  );
  const log = createWriteStream(join(logDir, `${spec.name}.log`), { flags: 'a' });
  let tail = '';
  let partial = '';
  process_.stderr?.on('data', (chunk: Buffer) => {
    log.write(chunk);
    tail = (tail + chunk.toString()).slice(-1_500);
    const lines = (partial + chunk.toString()).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      const progress = /"progress":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
      if (progress) spec.onProgress?.(progress);
    }
  });
  const exited = new Promise<string>((resolve) =>
    process_.once('exit', (code, signal) => resolve(`${signal ?? `exit code ${code}`}\n${tail.trim()}`)),
  );
  return {
    name: spec.name,
    exited,
    stop: async () => {
      if (process_.exitCode !== null || process_.signalCode !== null) return;
      process_.kill('SIGTERM');
      const kill = setTimeout(() => process_.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(kill);
    },
  };
};
