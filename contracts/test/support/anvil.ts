import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';

export interface Anvil {
  url: string;
  stop(): Promise<void>;
}

const require = createRequire(import.meta.url);

/** A chain of its own, on a free port; fees are zero, so that balances tell the contracts' amounts to the wei. */
export async function startAnvil(): Promise<Anvil> {
  const name = `@foundry-rs/anvil-${platform()}-${arch() === 'x64' ? 'amd64' : arch()}`;
  const binary = require.resolve(`${name}/bin/anvil`);
  const port = await freePort();
  const flags = ['--hardfork', 'prague', '--auto-impersonate', '--order', 'fifo'];
  const numbers = { port, accounts: 12, balance: 1_000_000, 'block-base-fee-per-gas': 0, 'gas-limit': 1_000_000_000 };
  for (const [flag, value] of Object.entries(numbers)) flags.push(`--${flag}`, String(value));
  const child = spawn(binary, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A test process that dies must not leave its chain behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);

  let output = '';
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Listening on')) resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil exited with ${code}: ${output}`)));
  });
  child.stdout.removeAllListeners('data').resume();
  child.stderr.removeAllListeners('data').resume();

  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
