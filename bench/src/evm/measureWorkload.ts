import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { median } from '../median.ts';
import type { Signer } from './accounts.ts';
import { startAnvilPeer } from './anvilPeer.ts';
import { CHAIN_ID, type GenesisFile } from './genesisFile.ts';
import { type BlockTimes, OurChain } from './ourChain.ts';
import type { Workload } from './workloads.ts';

export type WorkloadResult = {
  readonly gasPerBlock: bigint;
  readonly transactions: number;
  readonly anvilMs: number;
  /** Each the median of its own. */
  readonly ours: BlockTimes & { readonly total: number; readonly totalWithInsert: number };
};

const WARM_UP = 3;
const MEASURED = 5;
const GWEI = 10n ** 9n;

const sign = ({ count, call }: Workload, block: number, senders: readonly Signer[]): Hex[] =>
  senders.slice(0, count).map((sender, index) =>
    sender.sign({
      type: 'eip1559',
      chainId: CHAIN_ID,
      nonce: block,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: GWEI,
      ...call(block, index),
    }),
  );

/** One workload on fresh chains, block by block in turns, so that both meet the same load of the machine. */
export const measureWorkload = async (
  workload: Workload,
  senders: readonly Signer[],
  genesis: GenesisFile,
): Promise<WorkloadResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const anvil = await startAnvilPeer(genesis, folder);
  try {
    const chain = await OurChain.open(genesis, await anvil.mine());
    const rows: { anvil: number; ours: BlockTimes; gas: bigint }[] = [];
    for (let block = 0; block < WARM_UP + MEASURED; block++) {
      const raws = sign(workload, block, senders);
      await anvil.send(raws);
      const decoded = chain.decode(raws);
      const mined = await anvil.mine();
      if (mined.transactions.length !== workload.count) throw new Error('anvil left transactions out of the block');
      const ours = await chain.execute(mined, decoded);
      rows.push({ anvil: mined.ms, ours, gas: mined.header.gasUsed });
    }
    await chain.close();
    const measured = rows.slice(WARM_UP);
    const of = (pick: (times: BlockTimes) => number) => median(measured.map(({ ours }) => pick(ours)));
    return {
      gasPerBlock: measured[0]?.gas ?? 0n,
      transactions: workload.count,
      anvilMs: median(measured.map((row) => row.anvil)),
      ours: {
        apply: of(({ apply }) => apply),
        seal: of(({ seal }) => seal),
        insert: of(({ insert }) => insert),
        total: of(({ apply, seal }) => apply + seal),
        totalWithInsert: of(({ apply, seal, insert }) => apply + seal + insert),
      },
    };
  } finally {
    await anvil.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};
