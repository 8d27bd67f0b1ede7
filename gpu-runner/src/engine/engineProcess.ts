import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Logger } from '@openledger/kit';
import { Packr } from 'msgpackr';
import { type RunnerErrorCode, runnerError } from '../errors.ts';

export type EngineEvent = { readonly event: string; readonly data: Record<string, unknown> };

/** What the runner asks of an engine; docs/spec/engine-protocol.md says what each method does. */
export type Engine = {
  /**
   * @throws ENGINE_REFUSED (the request is wrong; meta.code says how), OVERLOADED, ENGINE_CANCELLED, ENGINE_FAILED,
   *         ENGINE_TIMEOUT, ENGINE_EXITED
   */
  request<T>(method: string, params: Record<string, unknown>, options?: RequestOptions): Promise<T>;
  close(): Promise<void>;
};

export type RequestOptions = {
  onEvent?: (event: EngineEvent) => void;
  signal?: AbortSignal;
  /** Milliseconds; the method's own limit otherwise. */
  timeoutMs?: number;
};

/**
 * How long a method may take, in milliseconds, however its input is made. A training has the time that its job has: whoever
 * asks for one says so.
 */
const timeouts: Readonly<Record<string, number>> = {
  validate_file: 180_000,
  attribute: 60_000,
  retrieve: 60_000,
};
const DEFAULT_TIMEOUT_MS = 15 * 60_000;
/** How long a method that is called off may take to stop cleanly. */
const STOP_MS = 15_000;

type Frame = {
  id: number;
  event?: string;
  data?: Record<string, unknown>;
  result?: unknown;
  error?: { code: string; message: string; details?: Record<string, unknown> };
};

type Pending = {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onEvent: ((event: EngineEvent) => void) | undefined;
};

const MAX_FRAME = 64 * 1024 * 1024;
/** What the engine gets of our environment, besides its own settings: no keys, no tokens, no proxies. */
const inheritedNames: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'CUDA_VISIBLE_DEVICES',
  'HF_HOME',
]);
const ENGINE_PREFIX = 'OPENLEDGER_ENGINE_';
/** Errors that say that the request can never work, whatever the engine's state. */
const refusals: ReadonlySet<string> = new Set([
  'bad_request',
  'bad_params',
  'bad_file',
  'unknown_model',
  'unknown_adapter',
  'unknown_method',
  'no_data',
]);

const errorCodeOf = (code: string): RunnerErrorCode => {
  if (code === 'cancelled') return 'ENGINE_CANCELLED';
  if (code === 'overloaded') return 'OVERLOADED';
  return refusals.has(code) ? 'ENGINE_REFUSED' : 'ENGINE_FAILED';
};

const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'bigint' });

/** Undefined when it is no frame: the process has lost its mind, and what follows can't be read either. */
const readFrame = (bytes: Uint8Array): Frame | undefined => {
  try {
    const frame = packr.unpack(bytes) as Frame | null;
    return typeof frame?.id === 'number' ? frame : undefined;
  } catch {
    return undefined;
  }
};

/** The Python engine as a child process: msgpack frames over stdio, started on the first request and after it has died. */
export class EngineProcess implements Engine {
  readonly #command: { python: string; packageDir: string; env: Record<string, string> };
  readonly #log: Logger;
  readonly #onExit: (() => void) | undefined;
  readonly #stopMs: number;
  #child: ChildProcessWithoutNullStreams | undefined;
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;

  constructor(options: {
    python: string;
    packageDir: string;
    env?: Record<string, string>;
    /** The process has ended and with it everything that it had loaded. */
    onExit?: () => void;
    /** Bytes of memory that the process may have; no limit when 0. */
    memoryBytes?: number;
    stopMs?: number;
    log: Logger;
  }) {
    this.#onExit = options.onExit;
    this.#stopMs = options.stopMs ?? STOP_MS;
    const limit = options.memoryBytes ? { OPENLEDGER_ENGINE_MEMORY: String(options.memoryBytes) } : {};
    this.#command = { python: options.python, packageDir: options.packageDir, env: { ...limit, ...options.env } };
    this.#log = options.log;
  }

  async request<T>(method: string, params: Record<string, unknown>, options: RequestOptions = {}): Promise<T> {
    if (this.#closed) throw runnerError('ENGINE_EXITED', 'the engine was closed');
    const child = this.#running();
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const cancel = () => this.#send(child, { id, cancel: true });
      const timeoutMs = options.timeoutMs ?? timeouts[method] ?? DEFAULT_TIMEOUT_MS;
      const late = runnerError('ENGINE_TIMEOUT', `${method} took longer than ${timeoutMs} ms`);
      let timedOut = false;
      const overdue = setTimeout(() => {
        timedOut = true;
        cancel();
        // What doesn't stop when it is told to is stopped with everything else: nothing may hold the engine for good.
        stopping = setTimeout(() => child.kill('SIGKILL'), this.#stopMs);
      }, timeoutMs);
      let stopping: NodeJS.Timeout | undefined;
      const settle = () => {
        clearTimeout(overdue);
        clearTimeout(stopping);
        options.signal?.removeEventListener('abort', cancel);
      };
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result as T);
        },
        reject: (error) => {
          settle();
          reject(timedOut ? late : error);
        },
        onEvent: options.onEvent,
      });
      this.#send(child, { id, method, params });
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (!child) return;
    // Rejects when the process never started: that is an end, too.
    const exited = once(child, 'exit').catch(() => {});
    child.stdin.end();
    const killed = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await exited;
    clearTimeout(killed);
  }

  #running(): ChildProcessWithoutNullStreams {
    if (this.#child) return this.#child;
    const { python, packageDir, env } = this.#command;
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => inheritedNames.has(name) || name.startsWith(ENGINE_PREFIX)),
    );
    const child = spawn(python, ['-m', 'openledger_engine'], {
      env: { ...inherited, PYTHONPATH: packageDir, PYTHONUNBUFFERED: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.on('error', (cause) =>
      this.#ended(runnerError('ENGINE_START_FAILED', 'the engine did not start', {}, cause)),
    );
    child.on('exit', (code, signal) =>
      this.#ended(runnerError('ENGINE_EXITED', `the engine ended (${signal ?? `code ${code}`})`)),
    );
    child.stdin.on('error', (error) => this.#log.debug({ err: error }, 'engine input closed'));
    child.stderr.on('data', (chunk) => {
      for (const line of String(chunk).split('\n')) if (line.trim()) this.#log.debug({ engine: line.trim() }, 'engine');
    });
    let buffer = Buffer.alloc(0);
    child.stdout.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 4) {
        const length = buffer.readUInt32BE(0);
        if (length <= MAX_FRAME && buffer.length < 4 + length) return;
        const frame = length <= MAX_FRAME ? readFrame(buffer.subarray(4, 4 + length)) : undefined;
        if (!frame) {
          child.kill('SIGKILL');
          return;
        }
        buffer = buffer.subarray(4 + length);
        this.#receive(frame);
      }
    });
    return child;
  }

  #send(child: ChildProcessWithoutNullStreams, message: Record<string, unknown>): void {
    const payload = packr.pack(message);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(payload.length);
    child.stdin.write(Buffer.concat([header, payload]));
  }

  #receive(frame: Frame): void {
    const pending = this.#pending.get(frame.id);
    if (!pending) return;
    if (frame.event !== undefined) {
      pending.onEvent?.({ event: frame.event, data: frame.data ?? {} });
      return;
    }
    this.#pending.delete(frame.id);
    if (frame.error) {
      const { code, message, details } = frame.error;
      const { reason, name } = details ?? {};
      const meta = {
        code,
        ...(typeof reason === 'string' ? { reason } : {}),
        ...(typeof name === 'string' ? { parameter: name } : {}),
      };
      pending.reject(runnerError(errorCodeOf(code), message, meta));
    } else pending.resolve(frame.result);
  }

  #ended(error: Error): void {
    this.#child = undefined;
    this.#onExit?.();
    const pending = this.#pending;
    this.#pending = new Map();
    for (const { reject } of pending.values()) reject(error);
  }
}
