import { isOpenLedgerError } from '@openledger/kit';
import type { Json } from './format.ts';

/** A JSON-RPC error answer. Codes are those of JSON-RPC 2.0, EIP-1474 and geth (3: execution reverted, with data). */
export class RpcError extends Error {
  readonly code: number;
  readonly data: Json | undefined;

  constructor(code: number, message: string, data?: Json) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export const invalidParams = (message: string) => new RpcError(-32602, message);
export const methodNotFound = (method: string) =>
  new RpcError(-32601, `the method ${method} does not exist/is not available`);
export const invalidRequest = (message: string) => new RpcError(-32600, message);
export const serverError = (message: string) => new RpcError(-32000, message);
export const limitExceeded = (message: string) => new RpcError(-32005, message);

/** What a caller may see of any error: our own rejections word for word, nothing of internal failures. */
export const toRpcError = (error: unknown): RpcError => {
  if (error instanceof RpcError) return error;
  if (isOpenLedgerError(error, 'MEMPOOL_FULL')) {
    // EIP-1474's "limit exceeded", which clients know to be passing; with it, when to come back.
    return new RpcError(-32005, error.message, { retryAfterMs: Number(error.meta.retryAfterMs) });
  }
  if (isOpenLedgerError(error) && error.handling === 'reject') return serverError(error.message);
  if (isOpenLedgerError(error) && error.handling === 'retry') return serverError(error.message);
  return new RpcError(-32603, 'internal error');
};
