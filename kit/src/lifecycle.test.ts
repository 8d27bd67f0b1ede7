import { describe, expect, it } from 'vitest';
import { createLifecycle, sleep } from './lifecycle.ts';
import { type Logger, silentLogger } from './log.ts';

describe('createLifecycle', () => {
  const parts = (names: string[], closed: string[]) =>
    names.map((name) => ({ name, close: () => void closed.push(name) }));

  it('closes in the reverse order of adding, each part after the one before has ended', async () => {
    const closed: string[] = [];
    const lifecycle = createLifecycle(silentLogger);
    lifecycle.add({ name: 'first', close: () => void closed.push('first') });
    lifecycle.add({
      name: 'slow',
      close: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        closed.push('slow');
      },
    });
    lifecycle.add({ name: 'last', close: () => void closed.push('last') });
    await lifecycle.close();
    expect(closed).toEqual(['last', 'slow', 'first']);
  });

  it('goes on after a part that fails, and logs which one', async () => {
    const closed: string[] = [];
    const logged: unknown[] = [];
    const log = { ...silentLogger, error: (fields: unknown) => void logged.push(fields) } as unknown as Logger;
    const lifecycle = createLifecycle(log);
    const failure = new Error('no');
    for (const part of parts(['a'], closed)) lifecycle.add(part);
    lifecycle.add({ name: 'b', close: () => Promise.reject(failure) });
    lifecycle.add({
      name: 'c',
      close: () => {
        throw failure;
      },
    });
    await lifecycle.close();
    expect(closed).toEqual(['a']);
    expect(logged).toEqual([
      { err: failure, part: 'c' },
      { err: failure, part: 'b' },
    ]);
  });

  it('aborts its signal before the first part closes', async () => {
    const lifecycle = createLifecycle(silentLogger);
    let aborted = false;
    const close = () => {
      aborted = lifecycle.signal.aborted;
    };
    lifecycle.add({ name: 'a', close });
    expect(lifecycle.signal.aborted).toBe(false);
    await lifecycle.close();
    expect(aborted).toBe(true);
  });

  it('closes once, however often it is asked', async () => {
    const closed: string[] = [];
    const lifecycle = createLifecycle(silentLogger);
    for (const part of parts(['a', 'b'], closed)) lifecycle.add(part);
    await Promise.all([lifecycle.close(), lifecycle.close()]);
    await lifecycle.close();
    expect(closed).toEqual(['b', 'a']);
  });
});

describe('sleep', () => {
  it('ends at once when the signal aborts, or has aborted', async () => {
    const abort = new AbortController();
    const hour = sleep(3_600_000, abort.signal);
    abort.abort();
    await hour;
    await sleep(3_600_000, abort.signal);
  });
  it('ends by itself', async () => {
    await sleep(1);
  });
});
