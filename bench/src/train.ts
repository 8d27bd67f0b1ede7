import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './median.ts';
import { enginePython } from './python.ts';
import type { BenchResult } from './report.ts';

const PEER = 'peftAndTrainer';
/** The two reach the same losses but for rounding; more is another training. */
const LOSS_TOLERANCE = { cpu: 0.002, cuda: 0.03 };
const scripts = fileURLToPath(new URL('../python/train', import.meta.url));

type Run = { tokensPerSecond: number; peakBytes: number; losses: number[] };

const options = {
  device: { type: 'string', default: 'cpu' },
  steps: { type: 'string', default: '10' },
  rounds: { type: 'string', default: '3' },
} as const;

/** The largest difference of two runs' losses at the same step. */
const apart = (one: readonly number[], other: readonly number[]): number => {
  if (one.length !== other.length) throw new Error(`${one.length} steps against ${other.length}`);
  return Math.max(...one.map((loss, step) => Math.abs(loss - (other[step] ?? Number.NaN))));
};

/**
 * LoRA training by the engine's `train` and by a plain script of peft and Trainer: the same base, blocks, order, optimizer,
 * schedule and seed, so the same losses. In turns, each run in a process of its own; loading is not counted.
 */
export const train = async (): Promise<BenchResult> => {
  const { values } = parseArgs({ options, strict: false });
  const device = values.device === 'cuda' ? 'cuda' : 'cpu';
  const [steps, rounds] = [Number(values.steps), Number(values.rounds)];
  const python = await enginePython();
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const env = { ...process.env, HF_HUB_OFFLINE: '1', ...(device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '' } : {}) };
  const call = (script: string, ...args: string[]): string =>
    execFileSync(python, [join(scripts, script), ...args], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    });
  const run = (script: string): Run => JSON.parse(call(script, folder).trim().split('\n').at(-1) ?? '') as Run;
  try {
    call('workload.py', '--folder', folder, '--device', device, '--steps', String(steps));
    const ours: Run[] = [];
    const peer: Run[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(run('ours.py'));
      peer.push(run('peer.py'));
    }
    const difference = apart(ours[0]?.losses ?? [], peer[0]?.losses ?? []);
    if (!(difference <= LOSS_TOLERANCE[device])) throw new Error(`not the same training: losses ${difference} apart`);
    const middle = (runs: readonly Run[]) => ({
      tokensPerSecond: median(runs.map(({ tokensPerSecond }) => tokensPerSecond)),
      peakBytes: median(runs.map(({ peakBytes }) => peakBytes)),
      finalLoss: runs[0]?.losses.at(-1) ?? Number.NaN,
    });
    const [mine, theirs] = [middle(ours), middle(peer)];
    const speed = mine.tokensPerSecond / theirs.tokensPerSecond;
    const memory = mine.peakBytes / theirs.peakBytes;
    return {
      name: `train on ${device}`,
      ours: { steps, rounds, ...mine },
      peers: { [PEER]: theirs },
      ratios: { tokensPerSecondToPeer: speed, peakBytesToPeer: memory, largestLossDifference: difference },
      goals: [
        { goal: 'tokens per second, ours to the peer', target: 1, actual: speed, met: speed >= 1 },
        { goal: 'peak bytes, ours to the peer', target: 1, actual: memory, met: memory <= 1 },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
