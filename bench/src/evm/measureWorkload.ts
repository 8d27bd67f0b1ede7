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
  /** Milliseconds; every figure is the median of its own. */
  readonly anvilMs: number;
  readonly ours: BlockTimes & { readonly total: number; readonly totalWithInsert: number };
  /** Ours to anvil's, of each block before the median is taken: load of the machine comes and goes in seconds. */
  readonly ratios: { readonly total: number; readonly totalWithInsert: number };
};

type Row = BlockTimes & { readonly anvil: number; readonly gas: bigint };

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
  let chain: OurChain | undefined;
  try {
    chain = await OurChain.open(genesis, await anvil.mine());
    const rows: Row[] = [];
    for (let block = 0; block < WARM_UP + MEASURED; block++) {
      const raws = sign(workload, block, senders);
      await anvil.send(raws);
      const decoded = chain.decode(raws);
      const mined = await anvil.mine();
      if (mined.transactions.length !== workload.count) throw new Error('anvil left transactions out of the block');
      const ours = await chain.execute(mined, decoded);
      rows.push({ ...ours, anvil: mined.ms, gas: mined.header.gasUsed });
    }
    return summarise(workload, rows.slice(WARM_UP));
  } finally {
    await chain?.close();
    await anvil.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

const summarise = ({ count }: Workload, rows: readonly Row[]): WorkloadResult => {
  const of = (pick: (row: Row) => number) => median(rows.map(pick));
  const total = ({ apply, seal }: Row) => apply + seal;
  const totalWithInsert = (row: Row) => total(row) + row.insert;
  return {
    gasPerBlock: rows[0]?.gas ?? 0n,
    transactions: count,
    anvilMs: of(({ anvil }) => anvil),
    ours: {
      apply: of(({ apply }) => apply),
      seal: of(({ seal }) => seal),
      insert: of(({ insert }) => insert),
      total: of(total),
      totalWithInsert: of(totalWithInsert),
    },
    ratios: {
      total: of((row) => total(row) / row.anvil),
      totalWithInsert: of((row) => totalWithInsert(row) / row.anvil),
    },
  };
};
