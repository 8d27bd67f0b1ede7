import { signers } from './evm/accounts.ts';
import { makeGenesisFile } from './evm/genesisFile.ts';
import { measureWorkload, type WorkloadResult } from './evm/measureWorkload.ts';
import { workloads } from './evm/workloads.ts';
import type { BenchResult } from './report.ts';

const SENDERS = 1_000;

const ratesOf = (name: string, { transactions, gasPerBlock }: WorkloadResult, ms: number): Record<string, number> => ({
  [`${name}.msPerBlock`]: ms,
  [`${name}.txPerSecond`]: (transactions * 1_000) / ms,
  [`${name}.mgasPerSecond`]: Number(gasPerBlock) / 1_000 / ms,
});

/**
 * Blocks of five kinds of transactions through our engine's execution, and by anvil. Both execute transactions that are
 * decoded and whose senders are known, make the tries and the header; that the block hashes are equal is checked for each
 * block. Ours with the synced batch is a row of its own: anvil keeps its state in memory.
 */
export const evm = async (): Promise<BenchResult> => {
  const senders = signers(SENDERS);
  const genesis = makeGenesisFile(senders);
  const [ours, anvil, ratios]: Record<string, number>[] = [{}, {}, {}] as Record<string, number>[];
  for (const workload of workloads) {
    const { name } = workload;
    const result = await measureWorkload(workload, senders, genesis);
    const { total, apply, seal, totalWithInsert } = result.ours;
    Object.assign(ours ?? {}, ratesOf(name, result, total), {
      [`${name}.msOfTransactions`]: apply,
      [`${name}.msOfRootsAndHeader`]: seal,
      [`${name}.msWithSyncedBatch`]: totalWithInsert,
    });
    Object.assign(anvil ?? {}, ratesOf(name, result, result.anvilMs));
    Object.assign(ratios ?? {}, {
      [`${name}.toAnvil`]: total / result.anvilMs,
      [`${name}.withSyncedBatchToAnvil`]: totalWithInsert / result.anvilMs,
    });
  }
  return { name: 'evm', ours: ours ?? {}, peers: { anvil: anvil ?? {} }, ratios: ratios ?? {}, goals: [] };
};
