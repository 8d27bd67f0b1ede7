import type { Logger } from './log.ts';

export type Closable = { name: string; close(): Promise<void> | void };

/**
 * Start order is the order of `add`; close runs in reverse, once, and goes on when one part fails to close.
 * One AbortSignal tells every loop of the process to end.
 */
export type Lifecycle = {
  readonly signal: AbortSignal;
  add(closable: Closable): void;
  close(): Promise<void>;
};

export const createLifecycle = (log: Logger): Lifecycle => {
  const abort = new AbortController();
  const closables: Closable[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async () => {
    abort.abort();
    for (const part of closables.reverse()) {
      try {
        await part.close();
      } catch (error) {
        log.error({ err: error, part: part.name }, 'part failed to close');
      }
    }
  };
  return {
    signal: abort.signal,
    add: (closable) => closables.push(closable),
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
};

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
