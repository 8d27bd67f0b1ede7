import { signers } from './evm/accounts.ts';
import { makeGenesisFile } from './evm/genesisFile.ts';
import { measureWorkload, type WorkloadResult } from './evm/measureWorkload.ts';
import { workloads } from './evm/workloads.ts';
import type { BenchResult } from './report.ts';

const SENDERS = 1_000;

type Figures = Readonly<Record<string, number>>;

const ratesOf = ({ transactions, gasPerBlock }: WorkloadResult, ms: number): Figures => ({
  msPerBlock: ms,
  txPerSecond: (transactions * 1_000) / ms,
  mgasPerSecond: Number(gasPerBlock) / 1_000 / ms,
});

const figuresOf = (
  results: ReadonlyMap<string, WorkloadResult>,
  figures: (result: WorkloadResult) => Figures,
): Figures =>
  Object.fromEntries(
    [...results].flatMap(([name, result]) =>
      Object.entries(figures(result)).map(([figure, value]) => [`${name}.${figure}`, value]),
    ),
  );

/**
 * Blocks of five kinds of transactions through our engine's execution, and by anvil. Both get transactions decoded and with
 * their senders recovered, make the tries and the header; each block's hash must be the same on both sides. Ours with the
 * synced batch on disk is a row of its own: anvil keeps its state in memory.
 */
export const evm = async (): Promise<BenchResult> => {
  const senders = signers(SENDERS);
  const genesis = makeGenesisFile(senders);
  const results = new Map<string, WorkloadResult>();
  for (const workload of workloads) results.set(workload.name, await measureWorkload(workload, senders, genesis));
  return {
    name: 'evm',
    ours: figuresOf(results, (result) => ({
      ...ratesOf(result, result.ours.total),
      msOfTransactions: result.ours.apply,
      msOfRootsAndHeader: result.ours.seal,
      msWithSyncedBatch: result.ours.totalWithInsert,
    })),
    peers: { anvil: figuresOf(results, (result) => ratesOf(result, result.anvilMs)) },
    ratios: figuresOf(results, ({ ratios }) => ({
      toAnvil: ratios.total,
      withSyncedBatchToAnvil: ratios.totalWithInsert,
    })),
    goals: [],
  };
};
