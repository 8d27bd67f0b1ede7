import { decodePage } from '@openledger/contracts';
import { createRemoteReader } from '@openledger/event-log';
import { sleep } from '@openledger/kit';
import type { Hex } from 'viem';
import type { LaneTransaction } from './laneLoad.ts';
import type { LaneNetwork } from './laneNetwork.ts';
import { rpc, sendUntilTaken } from './sendRaw.ts';

/** Milliseconds since sending, in order. */
export type Latencies = {
  readonly acknowledged: number[];
  /** In a provisional entry of the feed. */
  readonly preconfirmed: number[];
  /** In an entry of the log: on disk. */
  readonly sequenced: number[];
  /** In GraphQL's answers. */
  readonly visible: number[];
  /** Derived from L1, of those that were by the end of the run. */
  readonly safe: number[];
};

export type LaneRun = {
  readonly sent: number;
  /** Attributions in the event log and in the views at the end. */
  readonly logged: number;
  readonly shown: number;
  /** From the first transaction's sending to the last one's block in the views. */
  readonly seconds: number;
  readonly latencies: Latencies;
  readonly gasUsed: bigint;
};

const DRAIN_MS = 120_000;
const POLL_MS = 50;
const SAFE_POLL_MS = 500;

/** Sends transactions at their times, and watches the feed and GraphQL until the last one is shown or `DRAIN_MS` have passed. */
export const measureLane = async (network: LaneNetwork, transactions: readonly LaneTransaction[]): Promise<LaneRun> => {
  const abort = new AbortController();
  const sentAt = new Map<Hex, number>();
  const latencies: Latencies = { acknowledged: [], preconfirmed: [], sequenced: [], visible: [], safe: [] };
  const placed = watchFeed(network, abort.signal, sentAt, latencies, new Set(transactions.map(({ hash }) => hash)));
  const before = await shownEvents(network);
  const started = performance.now();
  const into = (list: number[]) => (transactions: readonly Hex[]) => {
    const now = performance.now();
    for (const hash of transactions) list.push(now - (sentAt.get(hash) ?? now));
  };
  const { signal } = abort;
  const shown = watchHead(() => viewsHead(network), POLL_MS, placed.byBlock, into(latencies.visible), signal);
  const safe = watchHead(() => safeHead(network), SAFE_POLL_MS, placed.unsafe, into(latencies.safe), signal);
  const acknowledgements: Promise<void>[] = [];
  for (const transaction of transactions) {
    const due = started + transaction.at;
    if (performance.now() < due) await sleep(due - performance.now());
    sentAt.set(transaction.hash, performance.now());
    acknowledgements.push(
      sendUntilTaken(network.l2, transaction.raw).then(() => {
        latencies.acknowledged.push(performance.now() - (sentAt.get(transaction.hash) as number));
      }),
    );
  }
  await Promise.all(acknowledgements);
  const deadline = performance.now() + DRAIN_MS;
  while (latencies.visible.length < transactions.length && performance.now() < deadline) await sleep(POLL_MS);
  const seconds = (performance.now() - started) / 1000;
  abort.abort();
  await Promise.all([placed.done, shown, safe]);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  for (const list of Object.values(latencies)) list.sort((a, b) => a - b);
  return {
    sent: sum(transactions.map(({ events }) => events)),
    logged: placed.events(),
    shown: (await shownEvents(network)) - before,
    seconds,
    latencies,
    gasUsed: placed.gasUsed(),
  };
};

type Placed = {
  /** Transactions of each block of the log that are ours. */
  readonly byBlock: Map<number, Hex[]>;
  /** The same, for whoever watches L1. */
  readonly unsafe: Map<number, Hex[]>;
  events(): number;
  gasUsed(): bigint;
  readonly done: Promise<void>;
};

/** The event log as any follower reads it: when a block with our transactions is in it, its pages are on disk. */
const watchFeed = (
  network: LaneNetwork,
  signal: AbortSignal,
  sentAt: ReadonlyMap<Hex, number>,
  latencies: Latencies,
  wanted: ReadonlySet<Hex>,
): Placed => {
  const byBlock = new Map<number, Hex[]>();
  const unsafe = new Map<number, Hex[]>();
  const recorded = new Map<string, number>();
  let gasUsed = 0n;
  const reader = createRemoteReader({ url: network.l2 });
  const follow = async () => {
    const head = await reader.head();
    const promised = new Set<Hex>();
    for await (const entry of reader.followProvisional(head?.nextSeq ?? 0, { signal })) {
      const now = performance.now();
      if (entry.kind === 'provisional') {
        for (const hash of entry.transactions) {
          if (!wanted.has(hash) || promised.has(hash)) continue;
          promised.add(hash);
          latencies.preconfirmed.push(now - (sentAt.get(hash) ?? now));
        }
      }
      if (entry.kind !== 'block') continue;
      const ours = entry.transactions.filter(({ hash }) => wanted.has(hash));
      for (const { hash, gasUsed: gas, success } of ours) {
        if (!success) throw new Error(`transaction ${hash} was reverted`);
        latencies.sequenced.push(now - (sentAt.get(hash) ?? now));
        gasUsed += gas;
      }
      if (ours.length > 0) {
        const hashes = ours.map(({ hash }) => hash);
        byBlock.set(Number(entry.number), hashes);
        unsafe.set(Number(entry.number), hashes);
      }
      for (const event of entry.events) {
        if (event.type === 'PageRejected') throw new Error(`page rejected: ${event.args.reason}`);
        if (event.type === 'PageRecorded') {
          recorded.set(`${event.args.batchIndex} ${event.args.page}`, rowsOf(event.args.data));
        }
      }
    }
  };
  return {
    byBlock,
    unsafe,
    events: () => [...recorded.values()].reduce((a, b) => a + b, 0),
    gasUsed: () => gasUsed,
    done: follow(),
  };
};

const rowsOf = (page: Uint8Array): number => decodePage(page).weights.length;

/** Until the signal aborts: when `head` has reached a block, its transactions are done. */
const watchHead = async (
  head: () => Promise<number>,
  pollMs: number,
  blocks: Map<number, Hex[]>,
  done: (transactions: readonly Hex[]) => void,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const reached = await head();
    for (const [number, hashes] of blocks) {
      if (number > reached) continue;
      done(hashes);
      blocks.delete(number);
    }
    await sleep(pollMs);
  }
};

/** As an explorer reads them: a block counts as shown when GraphQL answers from it. */
const viewsHead = async (network: LaneNetwork): Promise<number> => {
  const { meta } = await ask<{ meta: { headBlock: number } | null }>(network, '{ meta { headBlock } }');
  return meta?.headBlock ?? -1;
};

/** What the node has derived from the batches on L1. */
const safeHead = async (network: LaneNetwork): Promise<number> => {
  const head = await rpc<{ number: Hex } | null>(network.l2, 'eth_getBlockByNumber', ['safe', false]);
  return Number(head?.number ?? -1);
};

type BatchPage = {
  batches: {
    nodes: { attributionCount: number }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

/** Attributions of all batches that GraphQL lists. */
const shownEvents = async (network: LaneNetwork): Promise<number> => {
  let sum = 0;
  let after: string | null = null;
  do {
    const where: string = after === null ? '' : `, after: "${after}"`;
    const fields = '{ nodes { attributionCount } pageInfo { hasNextPage endCursor } }';
    const { batches }: BatchPage = await ask<BatchPage>(
      network,
      `{ batches(first: 100, order: OLDEST_FIRST${where}) ${fields} }`,
    );
    sum += batches.nodes.reduce((total, { attributionCount }) => total + attributionCount, 0);
    after = batches.pageInfo.hasNextPage ? batches.pageInfo.endCursor : null;
  } while (after !== null);
  return sum;
};

export const ask = async <T>(network: Pick<LaneNetwork, 'graphql'>, query: string): Promise<T> => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(network.graphql, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(`GraphQL: ${errors[0]?.message}`);
  return data;
};
