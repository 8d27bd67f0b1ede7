import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NATIVE_TOKEN } from '@openledger/chain-config';
import { EventLog, type LevelDb } from '@openledger/event-log';
import { computeEpoch, RewardTree } from '@openledger/rewards';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { ClassicLevel } from 'classic-level';
import type { Address } from 'viem';
import { platform } from './workload.ts';

/** A process of its own for each measurement, so that the peak of its memory is that of the work. */
const [task = '', source = '', leavesFile = ''] = process.argv.slice(2);

const readLeaves = () =>
  (JSON.parse(readFileSync(source, 'utf8')) as [Address, string][]).map(([account, cumulative]) => ({
    account,
    cumulative: BigInt(cumulative),
  }));

/** From the log on disk to the root, with the trace written to disk. */
const epoch = async () => {
  const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const db = new ClassicLevel<Uint8Array, Uint8Array>(source, encodings) as unknown as LevelDb;
  const reader = await EventLog.open(db);
  const toBlock = (await reader.head())?.number ?? 0n;
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const file = openSync(join(folder, 'trace.bin'), 'w');
  const started = performance.now();
  const { root, leaves, records } = await computeEpoch(
    { reader, chainId: 1, fromBlock: 0n, toBlock, rules: { platform } },
    (chunk) => {
      writeSync(file, chunk);
    },
  );
  const seconds = (performance.now() - started) / 1000;
  closeSync(file);
  rmSync(folder, { recursive: true });
  await db.close();
  writeFileSync(leavesFile, JSON.stringify(leaves.map(({ account, cumulative }) => [account, cumulative.toString()])));
  return { root, seconds, accounts: leaves.length, records: Number(records) };
};

const ourTree = async () => {
  const leaves = readLeaves();
  const started = performance.now();
  const { root } = new RewardTree(leaves);
  return { root, seconds: (performance.now() - started) / 1000 };
};

const peerTree = async () => {
  const leaves = readLeaves();
  const started = performance.now();
  const { root } = StandardMerkleTree.of(
    leaves.map(({ account, cumulative }) => [account, NATIVE_TOKEN, cumulative]),
    ['address', 'address', 'uint256'],
  );
  return { root, seconds: (performance.now() - started) / 1000 };
};

const result = await { epoch, ourTree, peerTree }[task as 'epoch' | 'ourTree' | 'peerTree']();
// maxRSS is in KiB.
console.log(JSON.stringify({ ...result, peakBytes: process.resourceUsage().maxRSS * 1024 }));
