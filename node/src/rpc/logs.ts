import { type Hex, hexToBytes } from 'viem';
import type { Block } from '../primitives/block.ts';
import { bloomMayHave } from '../primitives/receipt.ts';
import type { ChainReader } from './chainReader.ts';
import { formatLog, type Json } from './format.ts';
import { type BlockSelector, toBlockSelector, toHexBytes } from './params.ts';
import { invalidParams, limitExceeded, RpcError } from './rpcError.ts';

export type LogFilter = {
  readonly addresses: readonly Hex[];
  /** Per position: undefined matches anything, else any of these. */
  readonly topics: readonly (readonly Hex[] | undefined)[];
};

export type LogQuery = LogFilter & {
  readonly from: BlockSelector;
  readonly to: BlockSelector;
  readonly blockHash: Hex | undefined;
};

const MAX_RANGE = 10_000n;
const MAX_LOGS = 10_000;
const MAX_ALTERNATIVES = 1_000;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

export const toLogQuery = (value: unknown): LogQuery => {
  if (typeof value !== 'object' || value === null) throw invalidParams('invalid argument 0: expected a filter object');
  const { address, topics, fromBlock, toBlock, blockHash } = value as Record<string, unknown>;
  if (blockHash != null && (fromBlock != null || toBlock != null)) {
    throw invalidParams(
      'invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
    );
  }
  if (topics != null && !Array.isArray(topics)) throw invalidParams('invalid argument 0: topics is not an array');
  const positions = (topics as unknown[] | undefined) ?? [];
  if (positions.length > 4) throw invalidParams('exceed max topics');
  const addresses = address == null ? [] : list(address);
  if (addresses.length > MAX_ALTERNATIVES) throw invalidParams('exceed max addresses');
  return {
    addresses: addresses.map((item) => toHexBytes(item, 0, 20)),
    topics: positions.map((position) => {
      if (position === null) return undefined;
      const options = list(position);
      if (options.length > MAX_ALTERNATIVES) throw invalidParams('exceed max topics');
      return options.length === 0 ? undefined : options.map((item) => toHexBytes(item, 0, 32));
    }),
    from: toBlockSelector(fromBlock, 0),
    to: toBlockSelector(toBlock, 0),
    blockHash: blockHash == null ? undefined : toHexBytes(blockHash, 0, 32),
  };
};

/** Logs of one block that match, formatted; with `from` those of later transactions only. */
export const matchLogs = (
  block: Block,
  filter: LogFilter,
  { removed = false, from = 0 }: { removed?: boolean; from?: number } = {},
): Json[] => {
  if (!bloomMayMatch(block.header.logsBloom, filter)) return [];
  const found: Json[] = [];
  let logIndex = 0;
  for (const [transactionIndex, receipt] of block.receipts.entries()) {
    const transactionHash = block.transactions[transactionIndex]?.hash ?? '0x';
    for (const log of receipt.logs) {
      const place = { block, transactionIndex, transactionHash, logIndex: logIndex++, removed };
      const address = filter.addresses.length === 0 || filter.addresses.includes(log.address);
      const topics = filter.topics.every(
        (any, i) => !any || (log.topics[i] !== undefined && any.includes(log.topics[i])),
      );
      if (address && topics && transactionIndex >= from) found.push(formatLog(log, place));
    }
  }
  return found;
};

const bloomMayMatch = (bloom: Hex, filter: LogFilter): boolean => {
  const bytes = hexToBytes(bloom);
  const any = (values: readonly Hex[]) => values.some((value) => bloomMayHave(bytes, value));
  return (filter.addresses.length === 0 || any(filter.addresses)) && filter.topics.every((t) => !t || any(t));
};

/** @throws -32602 on a reversed range, -32005 over the limits */
export const queryLogs = async (chain: ChainReader, query: LogQuery): Promise<Json[]> => {
  if (query.blockHash) {
    const block = await chain.findBlock({ hash: query.blockHash });
    if (!block) throw new RpcError(-32000, 'unknown block');
    return matchLogs(block, query);
  }
  const open = query.to === 'pending' ? chain.pending.block : undefined;
  const resolve = async (selector: BlockSelector): Promise<bigint> => {
    if (typeof selector === 'bigint') return selector;
    return (selector === 'pending' && open ? open : await chain.requireBlock(selector)).header.number;
  };
  const from = await resolve(query.from);
  const to = await resolve(query.to);
  // Asked for last: a block that came meanwhile is what `latest` may mean, and what was open may be the head.
  const head = chain.engine.heads.unsafe.number;
  const top = open && open.header.number > head ? open.header.number : head;
  if (from > to) throw invalidParams('invalid block range params');
  if (to > top) throw invalidParams('block range extends beyond current head block');
  if (to - from >= MAX_RANGE) throw limitExceeded(`block range exceeds the limit of ${MAX_RANGE} blocks`);
  const found: Json[] = [];
  for (let number = from; number <= to; number++) {
    const block = number > head ? open : await chain.engine.chain.blockByNumber(number);
    if (block) found.push(...matchLogs(block, query));
    if (found.length > MAX_LOGS) throw limitExceeded(`query returned more than ${MAX_LOGS} results`);
  }
  return found;
};
