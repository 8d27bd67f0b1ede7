import { isOpenLedgerError } from '@openledger/kit';
import type { RunnerErrorCode } from '../errors.ts';

const statuses: Readonly<Partial<Record<RunnerErrorCode, number>>> = {
  MODEL_UNKNOWN: 404,
  ADAPTER_UNKNOWN: 404,
  // vLLM's answer to a name that is loaded already.
  ADAPTER_LOADED: 400,
  NAME_TAKEN: 409,
  OPERATOR_ONLY: 403,
  OVERLOADED: 429,
  FILE_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  JOB_NOT_HELD: 409,
  JOB_STOPPING: 409,
  JOB_CONTROL_UNAUTHORIZED: 401,
  AUDIT_UNAUTHORIZED: 401,
  OUTPUT_UNKNOWN: 404,
  REQUEST_INVALID: 400,
  ENGINE_REFUSED: 400,
  FILE_EMPTY: 400,
  FILE_HASH_MISMATCH: 400,
  FILE_TOO_LARGE: 413,
  UPLOAD_UNAUTHORIZED: 401,
  API_KEY_UNKNOWN: 401,
  PAYMENT_REQUIRED: 402,
  PAYMENT_INVALID: 402,
  TOO_MANY_REQUESTS: 429,
  QUOTA_EXCEEDED: 429,
  ENGINE_CANCELLED: 503,
  OPERATOR_CREDIT_EXHAUSTED: 503,
  NOT_READY: 503,
};

export const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'payment_required',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'server_error',
};

/** OpenAI's error shape; internals stay inside. */
export const toErrorAnswer = (error: unknown): { status: number; body: unknown; retryAfter?: string } => {
  const status = isOpenLedgerError(error) ? (statuses[error.code as RunnerErrorCode] ?? 500) : 500;
  if (status === 500)
    return { status, body: { error: { message: 'internal error', type: 'server_error', code: null } } };
  const { code, message, meta } = error as { code: string; message: string; meta: Record<string, unknown> };
  const details = Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, String(value)]));
  const body = { error: { message, type: errorTypes[status], code: code.toLowerCase(), details } };
  if (meta.retryAfter !== undefined) return { status, body, retryAfter: String(meta.retryAfter) };
  return status === 503 || code === 'OVERLOADED' ? { status, body, retryAfter: '5' } : { status, body };
};
