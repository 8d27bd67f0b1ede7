import { randomBytes } from 'node:crypto';
import type { Block } from '../../primitives/block.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import type { Json } from '../format.ts';
import { type LogQuery, matchLogs, queryLogs, toLogQuery } from '../logs.ts';
import { required } from '../params.ts';
import { limitExceeded, serverError } from '../rpcError.ts';

type Filter = { kind: 'blocks' | 'transactions' | 'logs'; query?: LogQuery; pending: Json[]; usedAt: number };

const MAX_FILTERS = 1_000;
const MAX_PENDING = 10_000;
/** Unpolled filters go away, as in geth. */
const IDLE_MS = 5 * 60_000;

/** Polled filters (eth_newFilter and its kin); state of this process only. */
export const filterMethods = (chain: ChainReader, now: () => number = Date.now): Methods => {
  const filters = new Map<string, Filter>();
  const collect = (kind: Filter['kind'], make: (filter: Filter) => readonly Json[]) => {
    for (const [id, filter] of filters) {
      if (now() - filter.usedAt > IDLE_MS) filters.delete(id);
      else if (filter.kind === kind) {
        filter.pending.push(...make(filter));
        if (filter.pending.length > MAX_PENDING) filter.pending.splice(0, filter.pending.length - MAX_PENDING);
      }
    }
  };
  chain.engine.onBlock((block, reverted) => {
    collect('blocks', () => [block.hash]);
    collect('logs', ({ query }) =>
      query ? [...blockLogs(reverted, query, true), ...blockLogs([block], query, false)] : [],
    );
  });
  chain.mempool.onTransaction((transaction) => collect('transactions', () => [transaction.hash]));

  const install = (kind: Filter['kind'], query?: LogQuery): Json => {
    if (filters.size >= MAX_FILTERS) throw limitExceeded(`no more than ${MAX_FILTERS} filters`);
    const id = `0x${randomBytes(16).toString('hex')}`;
    filters.set(id, { kind, pending: [], usedAt: now(), ...(query ? { query } : {}) });
    return id;
  };
  const find = (params: readonly unknown[]): Filter => {
    const filter = filters.get(String(required(params, 0)));
    if (!filter) throw serverError('filter not found');
    filter.usedAt = now();
    return filter;
  };
  return {
    eth_newFilter: (params) => install('logs', toLogQuery(required(params, 0))),
    eth_newBlockFilter: () => install('blocks'),
    eth_newPendingTransactionFilter: () => install('transactions'),
    eth_uninstallFilter: (params) => filters.delete(String(required(params, 0))),
    eth_getFilterChanges: (params) => {
      const filter = find(params);
      return filter.pending.splice(0);
    },
    eth_getFilterLogs: async (params) => {
      const { query } = find(params);
      if (!query) throw serverError('filter not found');
      return queryLogs(chain, query);
    },
  };
};

const blockLogs = (blocks: readonly Block[], query: LogQuery, removed: boolean): Json[] =>
  blocks.flatMap((block) => matchLogs(block, query, { removed }));
