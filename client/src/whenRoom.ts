import { BaseError, RpcRequestError } from 'viem';

/** JSON-RPC's "limit exceeded" (EIP-1474): the node's mempool is full for now. */
const LIMIT_EXCEEDED = -32005;
const FIRST_WAIT_MS = 250;
const LAST_WAIT_MS = 8_000;
/** A node that is full for this long isn't just busy. */
export const DEFAULT_PATIENCE_MS = 120_000;

/**
 * Hands a transaction over, again and again while the node says that it has no room: nothing that it turned away was taken.
 * Waits as long as the node asks for, doubled with each refusal and spread, so that those who wait don't come back together.
 * @throws the node's refusal when there is still no room after `patienceMs`; any other error at once
 */
export const whenRoom = async <T>(send: () => Promise<T>, patienceMs = DEFAULT_PATIENCE_MS): Promise<T> => {
  const deadline = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const asked = retryAfterMs(error);
      if (asked === undefined) throw error;
      const wait = Math.min(LAST_WAIT_MS, asked * 2 ** attempt) * (0.5 + Math.random());
      if (Date.now() + wait > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
};

/** Milliseconds; undefined when the error is another one. */
const retryAfterMs = (error: unknown): number | undefined => {
  const full =
    error instanceof BaseError && error.walk((e) => e instanceof RpcRequestError && e.code === LIMIT_EXCEEDED);
  if (!(full instanceof RpcRequestError)) return undefined;
  const { retryAfterMs } = (full.data ?? {}) as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : FIRST_WAIT_MS;
};
