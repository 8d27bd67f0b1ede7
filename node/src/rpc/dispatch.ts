import type { Logger } from '@openledger/kit';
import type { Json } from './format.ts';
import { invalidRequest, methodNotFound, RpcError, toRpcError } from './rpcError.ts';

export type Method = (params: readonly unknown[]) => Promise<Json> | Json;
export type Methods = Readonly<Record<string, Method>>;

export type Dispatcher = (request: unknown) => Promise<Json | undefined>;

/** Requests in one batch; more is refused as a whole. */
const MAX_BATCH = 100;

type Id = string | number | null;

const failure = (id: Id, error: RpcError): Json => ({
  jsonrpc: '2.0',
  id,
  error: { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) },
});

/** JSON-RPC 2.0 over any transport: one request or a batch in, the answer out; undefined when there is nothing to answer. */
export const createDispatcher = (methods: Methods, log: Logger): Dispatcher => {
  const table = new Map(Object.entries(methods));

  const one = async (request: unknown): Promise<Json | undefined> => {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) {
      return failure(null, invalidRequest('invalid request'));
    }
    const { id: givenId, method, params } = request as { id?: unknown; method?: unknown; params?: unknown };
    const id: Id = typeof givenId === 'string' || typeof givenId === 'number' ? givenId : null;
    if (typeof method !== 'string') return failure(id, invalidRequest('invalid request'));
    if (params !== undefined && params !== null && !Array.isArray(params)) {
      return failure(id, new RpcError(-32602, 'non-array args'));
    }
    const isNotification = givenId === undefined;
    try {
      const handler = table.get(method);
      if (!handler) throw methodNotFound(method);
      const result = await handler((params as unknown[] | null | undefined) ?? []);
      return isNotification ? undefined : { jsonrpc: '2.0', id, result };
    } catch (error) {
      const answer = toRpcError(error);
      if (answer.code === -32603) log.error({ err: error, method }, 'RPC method failed');
      return isNotification ? undefined : failure(id, answer);
    }
  };

  return async (request) => {
    if (!Array.isArray(request)) return one(request);
    if (request.length === 0) return failure(null, invalidRequest('empty batch'));
    if (request.length > MAX_BATCH) return failure(null, invalidRequest('batch too large'));
    const answers: Json[] = [];
    for (const item of request) {
      const answer = await one(item);
      if (answer !== undefined) answers.push(answer);
    }
    return answers.length === 0 ? undefined : answers;
  };
};
