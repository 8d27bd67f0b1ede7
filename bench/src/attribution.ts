import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { enginePython } from './python.ts';
import type { BenchResult } from './report.ts';

type Figures = Record<string, number>;
type Compared = { mean: number; low: number; high: number };
type Report = {
  scale: Figures;
  methods: Record<string, Figures>;
  recall: Record<string, Figures>;
  compared: Record<string, Compared>;
  truth: Figures;
  seconds: number;
};

const engine = fileURLToPath(new URL('../../gpu-runner/engine', import.meta.url));
const program = fileURLToPath(new URL('../python/attribution/main.py', import.meta.url));
/** What others are known for: BM25 and embeddings are methods of retrieval, the rest are published influence methods. */
const peers = [
  'random',
  'tokenCount',
  'bm25',
  'embedding',
  'gradientDot',
  'gradientCosine',
  'dataInf',
  'tracIn',
  'trak',
];

const measure = async (flags: readonly string[]): Promise<Report> => {
  const python = await enginePython();
  const child = spawn(python, [program, ...flags], {
    env: { ...process.env, PYTHONPATH: engine },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the measurement ended with code ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Report;
};

/** Each method's figures: LDS by retraining, and recall of planted facts where it was measured. */
const figuresOf = ({ methods, recall }: Report, name: string): Figures => ({ ...methods[name], ...recall[name] });

const value = (figures: Figures | undefined, key: string): number => figures?.[key] ?? Number.NaN;

/**
 * Attribution against real retraining (contributor-level LDS), planted facts, and evidence-0 on 10 MB. Flags are those of
 * bench/python/attribution/main.py: --subsets N, --queries N, --megabytes N and others.
 */
export const attribution = async (): Promise<BenchResult> => {
  const report = await measure(process.argv.slice(3).filter((flag) => flag !== '--json'));
  const prefixed = (name: string) =>
    Object.entries(figuresOf(report, name)).map(([key, figure]): [string, number] => [`${name}.${key}`, figure]);
  const compared = Object.entries(report.compared).flatMap(([name, figures]) =>
    Object.entries(figures).map(([key, figure]): [string, number] => [`${name}.${key}`, figure]),
  );
  const evidence = figuresOf(report, 'evidence0');
  const beats = report.compared['evidence0 - random'];
  const least = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual >= target });
  const most = (goal: string, target: number, actual: number) => ({ goal, target, actual, met: actual <= target });
  const bm25 = value(report.methods.bm25, 'lds');
  return {
    name: 'attribution',
    ours: {
      ...report.scale,
      ...report.truth,
      ...Object.fromEntries(['evidence0', 'retrieval0', 'ekfac', 'weighted'].flatMap(prefixed)),
      ...Object.fromEntries(compared),
      seconds: report.seconds,
    },
    peers: Object.fromEntries(peers.map((name) => [name, figuresOf(report, name)])),
    ratios: {
      evidenceLdsToBm25: value(evidence, 'lds') / bm25,
      ekfacLdsToBm25: value(report.methods.ekfac, 'lds') / bm25,
    },
    goals: [
      least('LDS of evidence-0 less that of random scores, low end of 95%', 0, beats?.low ?? Number.NaN),
      least('LDS of EK-FAC', 0.22, value(report.methods.ekfac, 'lds')),
      least('recall@1 of planted facts, evidence-0', 0.9, value(evidence, 'recall1_true')),
      least('recall@5 of planted facts, evidence-0', 0.95, value(evidence, 'recall5_true')),
      most('milliseconds an output, p50', 20, value(report.scale, 'outputMillisecondsP50')),
      most('milliseconds an output, p95', 100, value(report.scale, 'outputMillisecondsP95')),
    ],
  };
};
