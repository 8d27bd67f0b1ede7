import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LevelDb } from '@openledger/event-log';
import { ClassicLevel } from 'classic-level';
import type { BenchResult } from './report.ts';
import { buildLog } from './rewards/buildLog.ts';
import { ROWS } from './rewards/workload.ts';

const PEER = 'openzeppelinMerkleTree';
const child = fileURLToPath(new URL('rewards/child.ts', import.meta.url));

type Measured = { root: string; seconds: number; peakBytes: number; accounts: number; records: number };

const measure = (...args: string[]): Measured => {
  const output = execFileSync(process.execPath, ['--import', 'tsx', child, ...args], { encoding: 'utf8' });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Measured;
};

/**
 * An epoch of ten million attribution rows for 100,000 accounts: from the event log on disk to the root, trace and tree
 * included. The peer builds the same tree from the same leaves; nobody else folds such a log.
 */
export const rewards = async (): Promise<BenchResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  try {
    const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
    const log = join(folder, 'log');
    const db = new ClassicLevel<Uint8Array, Uint8Array>(log, encodings) as unknown as LevelDb;
    await buildLog(db);
    await db.close();
    const leaves = join(folder, 'leaves.json');
    const epoch = measure('epoch', log, leaves);
    const [ours, peer] = [measure('ourTree', leaves), measure('peerTree', leaves)];
    if (new Set([epoch.root, ours.root, peer.root]).size !== 1) throw new Error('the roots differ');
    const goal = (name: string, target: number, actual: number) => ({
      goal: name,
      target,
      actual,
      met: actual < target,
    });
    return {
      name: 'rewards',
      ours: {
        rows: ROWS,
        accounts: epoch.accounts,
        records: epoch.records,
        secondsToRoot: epoch.seconds,
        rowsPerSecond: ROWS / epoch.seconds,
        peakBytes: epoch.peakBytes,
        treeSeconds: ours.seconds,
        treePeakBytes: ours.peakBytes,
      },
      peers: { [PEER]: { treeSeconds: peer.seconds, treePeakBytes: peer.peakBytes } },
      ratios: {
        treeSecondsToPeer: ours.seconds / peer.seconds,
        treePeakBytesToPeer: ours.peakBytes / peer.peakBytes,
      },
      goals: [
        goal('seconds to root', 60, epoch.seconds),
        goal('peak bytes', 1_000_000_000, epoch.peakBytes),
        goal('tree seconds, ours to the peer', 1, ours.seconds / peer.seconds),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
