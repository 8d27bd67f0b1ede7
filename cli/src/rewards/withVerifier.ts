import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../devnet/supervisor.ts';

const READY_SECONDS = 60;

/** Runs a node that is given nothing but the chain's file and L1, for as long as `use` takes. */
export const withVerifier = async <T>(
  options: { chain: string; l1: string; beacon: string; port: number; logs?: string },
  use: (url: string, ready: Promise<void>) => Promise<T>,
): Promise<T> => {
  const url = `http://127.0.0.1:${options.port}`;
  const folder = mkdtempSync(join(tmpdir(), 'openledger-verifier-'));
  const child = startChild(
    {
      name: 'verifier',
      command: 'node',
      flags: {
        verifier: 'true',
        chain: options.chain,
        l1: options.l1,
        'l1.beacon': options.beacon,
        datadir: join(folder, 'data'),
        'rpc.port': options.port,
      },
      readyUrl: `${url}/healthz`,
      readyWithin: READY_SECONDS,
    },
    options.logs ?? folder,
  );
  try {
    return await use(url, child.ready);
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};
