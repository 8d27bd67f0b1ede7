import { availableParallelism, cpus, totalmem } from 'node:os';

type Figures = Readonly<Record<string, number>>;

/** What every benchmark returns: our figures, a peer's at the same work in the same run, and the goals, met or not. */
export type BenchResult = {
  readonly name: string;
  readonly ours: Figures;
  readonly peers: Readonly<Record<string, Figures>>;
  readonly ratios: Figures;
  readonly goals: readonly { goal: string; target: number; actual: number; met: boolean }[];
};

export const machine = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});

const round = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

export const print = (result: BenchResult): void => {
  const line = (label: string, figures: Figures) => {
    for (const [key, value] of Object.entries(figures))
      console.log(`${label.padEnd(10)} ${key.padEnd(32)} ${round(value)}`);
  };
  console.log(result.name);
  line('ours', result.ours);
  for (const [peer, figures] of Object.entries(result.peers)) line(peer, figures);
  line('ratio', result.ratios);
  for (const { goal, target, actual, met } of result.goals) {
    console.log(`goal       ${goal}: target ${target}, actual ${round(actual)}, ${met ? 'met' : 'NOT met'}`);
  }
};
