import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createRemoteReader } from '@openledger/event-log';
import { sleep } from '@openledger/kit';
import type { Hex } from 'viem';
import { rpc } from './lane/sendRaw.ts';
import { makeLoad } from './preconfirmations/load.ts';
import type { BenchResult } from './report.ts';

const NODE = fileURLToPath(new URL('./preconfirmations/nodeProcess.ts', import.meta.url));
/** Transactions of 100 KB a second, and for how long. */
const RATE = Number(process.env.OPENLEDGER_BENCH_RATE ?? 4);
const SECONDS = Number(process.env.OPENLEDGER_BENCH_SECONDS ?? 30);
const GOALS_MS = { preconfirmed: 300, sequenced: 1_500 };

const send = (url: string, raw: Hex) => rpc<Hex>(url, 'eth_sendRawTransaction', [raw]);

/** Of sorted milliseconds, the value that `share` of them don't exceed. */
const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

type Times = { readonly sent: number; acknowledged?: number; preconfirmed?: number; sequenced?: number };

/** Notes when the feed tells of a transaction for the first time: provisionally with its events, then in a block. */
const watch = async (url: string, times: Map<Hex, Times>, signal: AbortSignal): Promise<void> => {
  const reader = createRemoteReader({ url });
  const head = await reader.head();
  for await (const entry of reader.followProvisional(head?.nextSeq ?? 0, { signal })) {
    const now = performance.now();
    if (entry.kind === 'provisional') {
      for (const hash of entry.transactions) {
        const known = times.get(hash);
        if (known) known.preconfirmed ??= now;
      }
    } else if (entry.kind === 'block') {
      for (const { hash } of entry.transactions) {
        const known = times.get(hash);
        if (known) known.sequenced ??= now;
      }
    }
  }
};

const until = async (what: string, ready: () => boolean, seconds: number): Promise<void> => {
  for (const end = performance.now() + seconds * 1000; !ready(); ) {
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
};

const cpuSeconds = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('message', (message) => resolve((message as { cpuSeconds: number }).cpuSeconds));
    child.send('cpu');
  });

/** From eth_sendRawTransaction's send to the provisional event on the feed, and to the block's, over HTTP to a node of its own. */
export const preconfirmations = async (): Promise<BenchResult> => {
  const load = makeLoad(RATE * SECONDS);
  const child = fork(NODE, {
    execArgv: ['--import', 'tsx'],
  });
  const abort = new AbortController();
  try {
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const times = new Map<Hex, Times>();
    const watching = watch(url, times, abort.signal);
    for (const raw of load.bonds) await send(url, raw);
    await sleep(3_000);
    const cpuBefore = await cpuSeconds(child);
    const started = performance.now();
    const sending: Promise<void>[] = [];
    for (const [index, { raw, hash }] of load.batches.entries()) {
      const wait = started + (index * 1000) / RATE - performance.now();
      if (wait > 0) await sleep(wait);
      const entry: Times = { sent: performance.now() };
      times.set(hash, entry);
      const acknowledge = () => {
        entry.acknowledged = performance.now();
      };
      sending.push(send(url, raw).then(acknowledge));
    }
    await Promise.all(sending);
    const all = [...times.values()];
    await until('blocks of all transactions', () => all.every(({ sequenced }) => sequenced !== undefined), 30);
    const seconds = (performance.now() - started) / 1000;
    const cpu = (await cpuSeconds(child)) - cpuBefore;
    abort.abort();
    await watching;
    const from = (key: 'acknowledged' | 'preconfirmed' | 'sequenced') =>
      all.map((time) => (time[key] ?? Number.NaN) - time.sent);
    const [preconfirmed, sequenced] = [from('preconfirmed'), from('sequenced')];
    const goal = (name: 'preconfirmed' | 'sequenced', values: readonly number[]) => {
      const actual = percentile(values, 0.95);
      return { goal: `ms to ${name}, p95`, target: GOALS_MS[name], actual, met: actual <= GOALS_MS[name] };
    };
    return {
      name: 'preconfirmations',
      ours: {
        transactions: all.length,
        bytesPerTransaction: load.bytes,
        attributionsPerSecond: load.rows * RATE,
        cpuShare: cpu / seconds,
        acknowledgedMsP50: percentile(from('acknowledged'), 0.5),
        acknowledgedMsP95: percentile(from('acknowledged'), 0.95),
        preconfirmedMsP50: percentile(preconfirmed, 0.5),
        preconfirmedMsP95: percentile(preconfirmed, 0.95),
        preconfirmedMsMax: percentile(preconfirmed, 1),
        sequencedMsP50: percentile(sequenced, 0.5),
        sequencedMsP95: percentile(sequenced, 0.95),
        sequencedMsMax: percentile(sequenced, 1),
      },
      peers: {},
      ratios: {},
      goals: [goal('preconfirmed', preconfirmed), goal('sequenced', sequenced)],
    };
  } finally {
    abort.abort();
    child.disconnect();
  }
};
