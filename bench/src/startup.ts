import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anvilBinary } from '@openledger/cli/anvil';
import { sleep } from '@openledger/kit';
import type { BenchResult } from './report.ts';

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const PORT_OFFSET = 2_100;
const TIMEOUT_MS = 120_000;

const blockNumber = async (url: string): Promise<number> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }),
  });
  const { result } = (await response.json()) as { result: string };
  return Number(result);
};

/** Seconds until `ready` says so; it may throw while nothing listens yet. */
const secondsUntil = async (started: number, ready: () => Promise<boolean>): Promise<number> => {
  while (performance.now() - started < TIMEOUT_MS) {
    if (await ready().catch(() => false)) return (performance.now() - started) / 1000;
    await sleep(25);
  }
  throw new Error(`not ready within ${TIMEOUT_MS / 1000} s`);
};

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await exited;
};

/** From an empty data directory: L1 with its contracts, genesis, the node's first block, the views' first answer. */
const measureDevnet = async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'openledger-bench-'));
  const started = performance.now();
  const flags = ['devnet', '--data-dir', dataDir, '--port-offset', String(PORT_OFFSET), '--no-walkthrough'];
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...flags], { stdio: 'ignore' });
  try {
    const l2 = `http://127.0.0.1:${8545 + PORT_OFFSET}`;
    const graphql = `http://127.0.0.1:${4000 + PORT_OFFSET}`;
    const [firstBlock, graphqlReady] = await Promise.all([
      secondsUntil(started, async () => (await blockNumber(l2)) >= 1),
      secondsUntil(started, async () => (await fetch(`${graphql}/readyz`)).ok),
    ]);
    return { firstBlock, graphqlReady };
  } finally {
    await stop(child);
    rmSync(dataDir, { recursive: true, force: true });
  }
};

/** The peer: a bare dev chain, one process, no contracts, no views, to its first mined block. */
const measureAnvil = async () => {
  const port = 7545 + PORT_OFFSET + 500;
  const started = performance.now();
  const child = spawn(anvilBinary(), ['--port', String(port), '--block-time', '1'], { stdio: 'ignore' });
  try {
    return await secondsUntil(started, async () => (await blockNumber(`http://127.0.0.1:${port}`)) >= 1);
  } finally {
    await stop(child);
  }
};

export const startup = async (): Promise<BenchResult> => {
  const anvil = await measureAnvil();
  const { firstBlock, graphqlReady } = await measureDevnet();
  return {
    name: 'startup',
    ours: { secondsToFirstL2Block: firstBlock, secondsToGraphqlReady: graphqlReady },
    peers: { anvil: { secondsToFirstBlock: anvil } },
    ratios: { firstBlockToAnvil: firstBlock / anvil },
    goals: [{ goal: 'seconds to the first L2 block', target: 10, actual: firstBlock, met: firstBlock < 10 }],
  };
};
