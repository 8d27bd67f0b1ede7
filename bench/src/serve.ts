import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './median.ts';
import { enginePython } from './python.ts';
import type { BenchResult } from './report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'bench/python/serve/main.py');
const MEGABYTE = 1024 * 1024;

/** Sizes of a run; those that are not flags are what the goals are stated for. */
const flags = {
  device: { type: 'string', default: 'cpu' },
  requests: { type: 'string', default: '128' },
  'peer-requests': { type: 'string', default: '64' },
  'single-requests': { type: 'string', default: '24' },
  rows: { type: 'string', default: '64' },
  rounds: { type: 'string', default: '3' },
  'peer-rounds': { type: 'string', default: '1' },
  registered: { type: 'string', default: '1000' },
  cold: { type: 'string', default: '60' },
  /** Interpreter with the engine's requirements; made when empty. */
  python: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
} as const;

const OURS = [1, 8, 64, 512];
/** PEFT takes minutes to load 512 adapters, and the goal is stated for 64. */
const PEERS = [8, 64];

type Rounds = { tokens: number; seconds: Record<string, number[]> };
type Throughput = { tokens_per_second: number };

/**
 * A base and many adapters under a mixed load: the engine's scheduler, PEFT's generate with a batch of mixed adapters, and PEFT
 * with one request at a time. Every measurement has a process of its own; loading isn't counted.
 */
export const serve = async (): Promise<BenchResult> => {
  const { values } = parseArgs({ args: process.argv.slice(3), options: flags });
  const python = values.python || (await enginePython());
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const run = <T>(what: string, options: Record<string, string | number>): T => {
    const named = { device: values.device, rows: values.rows, ...options };
    const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const output = execFileSync(python, [script, what, folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, OPENLEDGER_ENGINE_BATCH_ROWS: values.rows, HF_HUB_OFFLINE: '1' },
    });
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;
  };
  try {
    const { rounds, 'peer-rounds': peerRounds, requests } = values;
    run('make', { adapters: Math.max(Number(values.registered), ...OURS) });
    const ours = run<Rounds>('ours', { adapters: OURS.join(','), requests, repeats: rounds });
    const seconds = (adapters: number) => ours.seconds[adapters] ?? [];
    const speed = (adapters: number) => ours.tokens / median(seconds(adapters));
    // Round by round: what else the machine does strikes both.
    const losses = seconds(512).map((many, round) => 1 - (seconds(8)[round] ?? Number.NaN) / many);
    const peer = (what: string, count: string) =>
      Object.fromEntries(
        PEERS.map((adapters) => {
          const { tokens_per_second } = run<Throughput>(what, { adapters, requests: count, repeats: peerRounds });
          return [`tokensPerSecond${adapters}`, tokens_per_second];
        }),
      );
    const peftMixed = peer('mixed', values['peer-requests']);
    const peftOneAtATime = peer('single', values['single-requests']);
    const many = run<Record<string, number>>('registered', { adapters: values.registered, requests: values.cold });
    const merged = run<Record<string, number>>('merged', {});
    const figure = (figures: Record<string, number>, name: string) => figures[name] ?? Number.NaN;
    const better = Math.max(figure(peftMixed, 'tokensPerSecond64'), figure(peftOneAtATime, 'tokensPerSecond64'));
    const grown = figure(many, 'rss_bytes_per_registered');
    const atLeast = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual >= target });
    const atMost = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual <= target });
    return {
      name: `serve on ${values.device}`,
      ours: {
        requests: Number(requests),
        batchRows: Number(values.rows),
        ...Object.fromEntries(OURS.map((adapters) => [`tokensPerSecond${adapters}`, speed(adapters)])),
        registered: figure(many, 'registered'),
        registerSeconds: figure(many, 'register_seconds'),
        residentBytesPerRegistered: grown,
        coldLoadP50Ms: figure(many, 'cold_load_p50_ms'),
        coldLoadP95Ms: figure(many, 'cold_load_p95_ms'),
        coldFirstTokenP50Ms: figure(many, 'cold_first_token_p50_ms'),
        coldFirstTokenP95Ms: figure(many, 'cold_first_token_p95_ms'),
        warmFirstTokenP50Ms: figure(many, 'warm_first_token_p50_ms'),
        maxLogitDifferenceToMerged: figure(merged, 'max_logit_difference'),
        largestLogit: figure(merged, 'largest_logit'),
      },
      peers: {
        peftMixed: { requests: Number(values['peer-requests']), ...peftMixed },
        peftOneAtATime: { requests: Number(values['single-requests']), ...peftOneAtATime },
      },
      ratios: {
        toPeftMixed8: speed(8) / figure(peftMixed, 'tokensPerSecond8'),
        toPeftMixed64: speed(64) / figure(peftMixed, 'tokensPerSecond64'),
        toPeftOneAtATime64: speed(64) / figure(peftOneAtATime, 'tokensPerSecond64'),
        lossFrom8To512: median(losses),
        lossFrom8To512WithReads: losses[0] ?? Number.NaN,
      },
      goals: [
        atLeast('times the better peer at 64 adapters', 3, speed(64) / better),
        atMost('loss from 8 to 512 adapters', 0.05, median(losses)),
        atMost('MB of memory for each registered adapter', 0.1, grown / MEGABYTE),
        atMost(
          'logit difference to the merged model',
          values.device === 'cpu' ? 1e-3 : 1,
          figure(merged, 'max_logit_difference'),
        ),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
