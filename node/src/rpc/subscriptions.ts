import { randomBytes } from 'node:crypto';
import type { ChainReader } from './chainReader.ts';
import type { Methods } from './dispatch.ts';
import { formatBlock, formatHeader, formatTransaction, type Json } from './format.ts';
import { matchLogs, toLogQuery } from './logs.ts';
import { required } from './params.ts';
import { invalidParams, limitExceeded } from './rpcError.ts';

const MAX_SUBSCRIPTIONS = 100;

/** eth_subscribe of one WebSocket connection. `send` delivers a notification; `close` ends all of them. */
export const createSubscriptions = (
  chain: ChainReader,
  send: (message: Json) => void,
): { methods: Methods; close(): void } => {
  const stops = new Map<string, () => void>();
  const notify = (subscription: string, result: Json) =>
    send({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } });

  const start = (id: string, kind: unknown, options: unknown): (() => void) => {
    switch (kind) {
      case 'newHeads':
        return chain.engine.onBlock((block) => notify(id, formatHeader(block)));
      case 'logs': {
        const query = toLogQuery(options ?? {});
        return chain.engine.onBlock((block, reverted) => {
          for (const old of reverted) for (const log of matchLogs(old, query, { removed: true })) notify(id, log);
          for (const log of matchLogs(block, query)) notify(id, log);
        });
      }
      case 'newFlashblocks':
        return chain.pending.onFlashblock(({ block }) => notify(id, formatBlock(block, false)));
      case 'newFlashblockTransactions':
        return chain.pending.onFlashblock(({ block, from }) => {
          for (const [i, transaction] of block.transactions.slice(from).entries()) {
            const index = from + i;
            notify(id, options === true ? formatTransaction(transaction, { block, index }) : transaction.hash);
          }
        });
      case 'pendingLogs': {
        const query = toLogQuery(options ?? {});
        return chain.pending.onFlashblock(({ block, from }) => {
          for (const log of matchLogs(block, query, { from })) notify(id, log);
        });
      }
      case 'newPendingTransactions':
        return chain.mempool.onTransaction((transaction) =>
          notify(id, options === true ? formatTransaction(transaction) : transaction.hash),
        );
      default:
        throw invalidParams(`no "${String(kind)}" subscription in eth namespace`);
    }
  };

  return {
    methods: {
      eth_subscribe: (params) => {
        if (stops.size >= MAX_SUBSCRIPTIONS) throw limitExceeded(`no more than ${MAX_SUBSCRIPTIONS} subscriptions`);
        const id = `0x${randomBytes(16).toString('hex')}`;
        stops.set(id, start(id, required(params, 0), params[1]));
        return id;
      },
      eth_unsubscribe: (params) => {
        const id = String(required(params, 0));
        stops.get(id)?.();
        return stops.delete(id);
      },
    },
    close: () => {
      for (const stop of stops.values()) stop();
      stops.clear();
    },
  };
};
