import { once } from 'node:events';
import { silentLogger } from '@openledger/kit';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EngineEvent, EngineProcess } from '../src/engine/engineProcess.ts';
import { makeFakeEngine } from './support/fakeEngine.ts';

const fake = makeFakeEngine();
afterAll(fake.remove);

describe('EngineProcess', () => {
  let exits: number;
  let engine: EngineProcess;
  const start = (python = fake.path) =>
    new EngineProcess({ python, packageDir: '/nowhere', log: silentLogger, onExit: () => exits++, stopMs: 50 });
  beforeEach(() => {
    exits = 0;
    engine = start();
  });
  afterEach(() => engine.close());

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  /** A request that runs until it is cancelled or the process ends, once the process has it. */
  const began = async (signal?: AbortSignal): Promise<{ result: Promise<unknown> }> => {
    const events = new EventTarget();
    const waiting = once(events, 'waiting');
    const onEvent = ({ event }: EngineEvent) => events.dispatchEvent(new Event(event));
    const result = engine.request('wait', {}, { onEvent, ...(signal ? { signal } : {}) });
    result.catch(() => {});
    await waiting;
    return { result };
  };

  it('answers each of several requests with its own result', async () => {
    const texts = ['a', 'b', 'c'];
    const answers = await Promise.all(texts.map((text) => engine.request('echo', { text, big: 2n ** 60n })));
    expect(answers).toEqual(texts.map((text) => ({ text, big: 2n ** 60n })));
  });

  it('calls off what takes too long, and leaves the rest alone', async () => {
    const other = await began();
    await expect(engine.request('wait', {}, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
    expect(await engine.request('echo', { still: 'there' })).toEqual({ still: 'there' });
    expect(exits).toBe(0);
    await engine.close();
    await expect(other.result).rejects.toMatchObject({ code: 'ENGINE_EXITED' });
  });

  it('ends a process that does not stop what is called off, and starts another one', async () => {
    const first = await engine.request('pid', {});
    const stuck = engine.request('hold', {}, { timeoutMs: 30 });
    await expect(stuck).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
    expect(exits).toBe(1);
    expect(await engine.request('pid', {})).not.toBe(first);
  });

  it('tells the process how much memory it may have', async () => {
    const limited = new EngineProcess({
      python: fake.path,
      packageDir: '/nowhere',
      memoryBytes: 5_000,
      log: silentLogger,
    });
    expect(await limited.request('env', {})).toMatchObject({ OPENLEDGER_ENGINE_MEMORY: '5000' });
    await limited.close();
  });

  it.each([
    ['bad_params', undefined, 'ENGINE_REFUSED', { code: 'bad_params' }],
    ['bad_file', { reason: 'too_short' }, 'ENGINE_REFUSED', { code: 'bad_file', reason: 'too_short' }],
    ['unknown_model', undefined, 'ENGINE_REFUSED', { code: 'unknown_model' }],
    ['unknown_adapter', undefined, 'ENGINE_REFUSED', { code: 'unknown_adapter' }],
    ['unknown_method', undefined, 'ENGINE_REFUSED', { code: 'unknown_method' }],
    ['bad_request', undefined, 'ENGINE_REFUSED', { code: 'bad_request' }],
    ['no_data', undefined, 'ENGINE_REFUSED', { code: 'no_data' }],
    ['out_of_memory', { reason: 7 }, 'ENGINE_FAILED', { code: 'out_of_memory' }],
    ['internal', undefined, 'ENGINE_FAILED', { code: 'internal' }],
    ['never_heard_of', undefined, 'ENGINE_FAILED', { code: 'never_heard_of' }],
  ])('maps the error %s', async (code, details, expected, meta) => {
    const failing = engine.request('fail', { code, message: 'what happened', ...(details ? { details } : {}) });
    await expect(failing).rejects.toMatchObject({ code: expected, message: 'what happened', meta });
  });

  it('reads several frames of one chunk, and drops those of nobody', async () => {
    const events: EngineEvent[] = [];
    const result = await engine.request('burst', { texts: ['x', 'y'] }, { onEvent: (event) => events.push(event) });
    expect(result).toBe('xy');
    expect(events).toEqual([
      { event: 'token', data: { text: 'x' } },
      { event: 'token', data: { text: 'y' } },
      { event: 'bare', data: {} },
    ]);
  });

  it('puts a frame together that comes in pieces', async () => {
    const events = new EventTarget();
    const held = once(events, 'held');
    const whole = engine.request('hold', {}, { onEvent: ({ event }) => events.dispatchEvent(new Event(event)) });
    await held;
    expect(await engine.request('rest', {})).toBe('rest');
    expect(await whole).toBe('whole');
  });

  it('carries frames that are larger than a pipe', async () => {
    const text = 'x'.repeat(5_000_000);
    expect(await engine.request('echo', { text })).toEqual({ text });
  });

  it('cancels by signal, only the request that the signal is of', async () => {
    const abort = new AbortController();
    const [cancelled, other] = [await began(abort.signal), await began()];
    abort.abort();
    await expect(cancelled.result).rejects.toMatchObject({ code: 'ENGINE_CANCELLED', handling: 'retry' });
    await expect(began(abort.signal).then(({ result }) => result)).rejects.toMatchObject({ code: 'ENGINE_CANCELLED' });
    // The engine answers in order: the other one still waits.
    await engine.request('echo', {});
    await expect(Promise.race([other.result, 'still waiting'])).resolves.toBe('still waiting');
  });

  it('gives the engine nothing of our environment but what it needs', async () => {
    vi.stubEnv('OPENLEDGER_SECRET_CANARY', 'secret');
    vi.stubEnv('HTTPS_PROXY', 'http://user:secret@proxy');
    try {
      const env = await engine.request<Record<string, string>>('env', {});
      expect(JSON.stringify(env)).not.toContain('secret');
      expect(env.PYTHONPATH).toBe('/nowhere');
      expect(env.PATH).toBe(process.env.PATH);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each([
    ['announces a frame of over 64 MiB', '04000001'],
    ['sends what is no msgpack', '00000001c1'],
    ['sends msgpack that ends too soon', '00000001d9'],
    ['sends a map without an id', '0000000180'],
  ])('ends a process that %s', async (_name, hex) => {
    const pid = await engine.request<number>('pid', {});
    await expect(engine.request('raw', { hex })).rejects.toMatchObject({ code: 'ENGINE_EXITED' });
    expect(isAlive(pid)).toBe(false);
  });

  it('rejects everything that waits when the process ends, and starts another one with the next request', async () => {
    const first = await engine.request<number>('pid', {});
    const waiting = [engine.request('wait', {}), engine.request('wait', {}), engine.request('exit', { code: 3 })];
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_EXITED', handling: 'retry' } });
      expect(String((outcome as PromiseRejectedResult).reason.message)).toContain('code 3');
    }
    expect(exits).toBe(1);
    expect(await engine.request('pid', {})).not.toBe(first);
    expect(exits).toBe(1);
  });

  it('says that an interpreter which is not there did not start, each time', async () => {
    const missing = start('/nowhere/python');
    await expect(missing.request('echo', {})).rejects.toMatchObject({ code: 'ENGINE_START_FAILED' });
    await expect(missing.request('echo', {})).rejects.toMatchObject({ code: 'ENGINE_START_FAILED' });
    expect(exits).toBe(2);
    const starting = missing.request('echo', {});
    starting.catch(() => {});
    await missing.close();
    await expect(starting).rejects.toMatchObject({ code: 'ENGINE_START_FAILED' });
  });

  it('has ended when close returns, and starts no process after that', async () => {
    const pid = await engine.request<number>('pid', {});
    await engine.close();
    expect(isAlive(pid)).toBe(false);
    await expect(engine.request('pid', {})).rejects.toMatchObject({ code: 'ENGINE_EXITED' });
    await engine.close();
  });

  it('kills a process that does not end by itself', async () => {
    await engine.request('stay', {});
    const pid = await engine.request<number>('pid', {});
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const closing = engine.close();
      vi.advanceTimersByTime(2_999);
      expect(isAlive(pid)).toBe(true);
      vi.advanceTimersByTime(1);
      await closing;
    } finally {
      vi.useRealTimers();
    }
    expect(isAlive(pid)).toBe(false);
  });
});
