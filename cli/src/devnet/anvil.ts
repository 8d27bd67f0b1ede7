import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OpenLedgerError, sleep } from '@openledger/kit';

export type Anvil = { readonly url: string; readonly process: ChildProcess; stop(): Promise<void> };

/** The binary inside the npm package of this platform: npm may not have run install scripts. */
export const anvilBinary = (): string => {
  const require = createRequire(import.meta.url);
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const platform = process.platform === 'win32' ? 'win32' : process.platform;
  const main = createRequire(require.resolve('@foundry-rs/anvil/package.json'));
  const root = dirname(main.resolve(`@foundry-rs/anvil-${platform}-${arch}/package.json`));
  return join(root, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil');
};

/**
 * Starts the devnet's L1. With `statePath` it goes on where it was and saves itself every second. `timestamp` (unix
 * seconds) sets its clock back to when it was stopped. It doesn't mine until told to.
 */
export const startAnvil = async (options: {
  port: number;
  chainId: number;
  mnemonic: string;
  statePath?: string;
  timestamp?: number;
}): Promise<Anvil> => {
  const args = [
    ['--host', '127.0.0.1'],
    ['--port', String(options.port)],
    ['--chain-id', String(options.chainId)],
    ['--mnemonic', options.mnemonic],
    ['--hardfork', 'prague'],
    ['--gas-limit', '150000000'],
    ['--slots-in-an-epoch', '2'],
    ['--no-mining'],
    options.statePath ? ['--state', options.statePath, '--state-interval', '1'] : [],
    options.timestamp ? ['--timestamp', String(options.timestamp)] : [],
  ].flat();
  const child = spawn(anvilBinary(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + String(chunk)).slice(-2_000);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${options.port}`;
  const stop = async () => {
    child.kill('SIGINT');
    const killed = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(killed);
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) break;
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
    }).catch(() => undefined);
    if (answer?.ok) return { url, process: child, stop };
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new OpenLedgerError(`anvil did not start on port ${options.port}: ${stderr.trim()}`, {
    code: 'L1_START_FAILED',
    handling: 'fatal',
    action: 'Check that the port is free, or use --port-offset.',
  });
};
