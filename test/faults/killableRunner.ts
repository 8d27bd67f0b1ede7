import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '@openledger/kit';
import type { ChildOptions } from './runnerChild.ts';

const program = fileURLToPath(new URL('runnerChild.ts', import.meta.url));
const READY_MS = 120_000;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
};

/** The runner's process and its engine's, to be killed as a power cut or the kernel would: without a word. */
export class KillableRunner {
  readonly url: string;
  readonly #file: string;
  readonly #log: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, options: ChildOptions) {
    this.url = `http://127.0.0.1:${options.port}`;
    this.#file = join(folder, 'options.json');
    writeFileSync(this.#file, JSON.stringify(options));
    this.#log = openSync(join(folder, 'runner.log'), 'a');
  }

  static async make(folder: string, options: Omit<ChildOptions, 'port'>): Promise<KillableRunner> {
    return new KillableRunner(folder, { ...options, port: await freePort() });
  }

  /** Resolves once it answers that it is ready. */
  async start(): Promise<void> {
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, this.#file], {
      stdio: ['ignore', this.#log, this.#log],
    });
    for (let waited = 0; waited < READY_MS; waited += 100) {
      if (this.#child.exitCode !== null) throw new Error(`the runner ended with ${this.#child.exitCode}; see its log`);
      if (await this.#ready()) return;
      await sleep(100);
    }
    throw new Error('the runner did not get ready');
  }

  /** Its engine dies with it: nobody reads its answers any more. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Whether there was an engine to kill. */
  killEngine(): boolean {
    const pid = this.#child?.pid;
    if (!pid) return false;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    for (const engine of children) process.kill(Number(engine), 'SIGKILL');
    return children.length > 0;
  }

  async #ready(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
