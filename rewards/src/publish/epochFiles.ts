import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { NATIVE_TOKEN } from '@openledger/chain-config';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Hex } from 'viem';
import { computeEpoch, type EpochLedger, type EpochRange } from '../epoch/computeEpoch.ts';
import type { Leaf } from '../epoch/rewardTree.ts';

/** Everything that a proposal says, as it is kept beside the files. */
export type EpochSummary = {
  readonly fromBlock: string;
  readonly toBlock: string;
  readonly blockHash: Hex;
  readonly logHash: Hex;
  readonly root: Hex;
  readonly traceRoot: Hex;
  readonly treeRoot: Hex;
  readonly dataHash: Hex;
  readonly records: string;
  readonly accounts: string;
  readonly total: string;
};

/** What distributors take: one folder an epoch, named by its data hash. */
export const epochFileNames = {
  summary: 'epoch.json',
  ledger: 'ledger.json',
  csv: 'entitlements.csv',
  parquet: 'entitlements.parquet',
  tree: 'tree.json',
  trace: 'trace.bin',
} as const;

export const summaryOf = (epoch: EpochLedger): EpochSummary => ({
  fromBlock: epoch.fromBlock.toString(),
  toBlock: epoch.toBlock.toString(),
  blockHash: epoch.blockHash,
  logHash: epoch.logHash,
  root: epoch.root,
  traceRoot: epoch.trace.root,
  treeRoot: epoch.nodes.root,
  dataHash: epoch.dataHash,
  records: epoch.records.toString(),
  accounts: epoch.leaves.length.toString(),
  total: epoch.total.toString(),
});

/** Computes an epoch and writes its files, whole or not at all. */
export const writeEpoch = async (
  range: EpochRange,
  dataDir: string,
): Promise<{ epoch: EpochLedger; folder: string }> => {
  const working = join(dataDir, `.working-${process.pid}`);
  rmSync(working, { recursive: true, force: true });
  mkdirSync(working, { recursive: true });
  const file = openSync(join(working, epochFileNames.trace), 'w');
  const epoch = await computeEpoch(range, (chunk) => {
    writeSync(file, chunk);
  }).finally(() => closeSync(file));
  const put = (name: string, content: string | Uint8Array) => writeFileSync(join(working, name), content);
  put(epochFileNames.ledger, epoch.file);
  put(epochFileNames.tree, JSON.stringify(epoch.tree.dump()));
  put(epochFileNames.csv, csvOf(epoch.leaves));
  put(epochFileNames.parquet, parquetOf(epoch.leaves));
  put(epochFileNames.summary, JSON.stringify(summaryOf(epoch)));
  const folder = join(dataDir, epoch.dataHash);
  rmSync(folder, { recursive: true, force: true });
  renameSync(working, folder);
  return { epoch, folder };
};

const csvOf = (leaves: readonly Leaf[]): string =>
  [
    'account,token,cumulative',
    ...leaves.map(({ account, cumulative }) => `${account},${NATIVE_TOKEN},${cumulative}`),
    '',
  ].join('\n');

/** Amounts as text: a 256-bit integer has no type of its own in Parquet. */
const parquetOf = (leaves: readonly Leaf[]): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'account', data: leaves.map(({ account }) => account), type: 'STRING' },
        { name: 'token', data: leaves.map(() => NATIVE_TOKEN), type: 'STRING' },
        { name: 'cumulative', data: leaves.map(({ cumulative }) => cumulative.toString()), type: 'STRING' },
      ],
    }),
  );
