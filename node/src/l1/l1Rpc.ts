import { printableUrl } from '@openledger/kit';
import { type EIP1193RequestFn, http } from 'viem';
import { nodeError } from '../errors.ts';

export type FetchLimits = {
  /** For one HTTP request, its retries not included. */
  readonly timeoutMs?: number;
  readonly retries?: number;
  /** Requests in flight; more wait. */
  readonly concurrency?: number;
};

/** Asks an L1 endpoint. `null` is an answer. @throws L1_UNAVAILABLE, and L1RequestRefused when the endpoint answers with an error */
export type L1Rpc = <T>(method: string, params: readonly unknown[]) => Promise<T>;

/** The endpoint's own error: code and message as it gave them. Internal to this folder; callers see typed errors. */
export class L1RequestRefused extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = 'L1RequestRefused';
    this.code = code;
  }
}

export const METHOD_NOT_FOUND = -32_601;

/** Runs at most `limit` works at a time, in the order of asking. */
const limitConcurrency = (limit: number) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
};

/** viem's errors quote the URL with its API key; what goes on in ours is their kind alone. */
const classify = (error: unknown, endpoint: string, method: string): Error => {
  for (let current = error; current instanceof Error; current = current.cause as unknown) {
    const { code, details } = current as { code?: unknown; details?: string };
    // JSON-RPC errors have a numeric code; -1 is viem's own "unknown" and 408/429/5xx have none.
    if (typeof code === 'number' && code !== -1) return new L1RequestRefused(code, details ?? current.message);
  }
  const { name = 'UnknownError', status } = error as { name?: string; status?: number };
  return nodeError('L1_UNAVAILABLE', 'the L1 endpoint does not answer', { endpoint, method, kind: name, status });
};

export const createL1Rpc = (url: string, limits: FetchLimits = {}): L1Rpc => {
  const transport = http(url, {
    batch: true,
    retryCount: limits.retries ?? 2,
    timeout: limits.timeoutMs ?? 10_000,
  })({});
  const limited = limitConcurrency(limits.concurrency ?? 16);
  const request = transport.request as EIP1193RequestFn;
  return <T>(method: string, params: readonly unknown[]) =>
    limited(async () => {
      try {
        return (await request({ method, params } as never)) as T;
      } catch (error) {
        throw classify(error, printableUrl(url), method);
      }
    });
};

/** For reads: an endpoint that refuses one is as good as none. @throws L1_UNAVAILABLE */
export const orUnavailable = (error: unknown): never => {
  if (!(error instanceof L1RequestRefused)) throw error;
  throw nodeError('L1_UNAVAILABLE', `the L1 endpoint refuses: ${error.message}`, { code: error.code });
};
