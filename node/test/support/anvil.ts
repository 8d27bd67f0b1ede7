import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { devnet } from '@openledger/chain-config';
import { createTestClient, defineChain, type Hex, http, publicActions, walletActions } from 'viem';

// The binary of this platform is a dependency of the package.
const require = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));

const l1Chain = (url: string) =>
  defineChain({
    id: devnet.l1ChainId,
    name: 'test L1',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });

const clientOf = (url: string) =>
  createTestClient({ chain: l1Chain(url), mode: 'anvil', transport: http(url), cacheTime: 0, pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);

export type AnvilL1 = {
  readonly url: string;
  readonly client: ReturnType<typeof clientOf>;
  /** One block, now. */
  mine(): Promise<void>;
  balance(address: Hex, wei: bigint): Promise<void>;
  stop(): Promise<void>;
};

/** A real L1 on a free port that mines when it is told to. */
export const startAnvilL1 = async (flags: readonly string[] = []): Promise<AnvilL1> => {
  const binary = require.resolve(`@foundry-rs/anvil-${platform()}-${arch() === 'x64' ? 'amd64' : arch()}/bin/anvil`);
  const fixed = ['--port', '0', '--chain-id', String(devnet.l1ChainId), '--no-mining', '--slots-in-an-epoch', '1'];
  const hardfork = flags.includes('--hardfork') ? [] : ['--hardfork', 'prague'];
  const child = spawn(binary, [...fixed, ...hardfork, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A test process that dies must not leave its chain behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      const address = /Listening on (\S+)/.exec(output)?.[1];
      if (address) resolve(`http://${address}`);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', (code) => reject(new Error(`anvil exited with ${code}: ${output}`)));
  });
  child.stdout.removeAllListeners('data').resume();
  child.stderr.removeAllListeners('data').resume();
  const client = clientOf(url);
  return {
    url,
    client,
    mine: () => client.mine({ blocks: 1 }),
    balance: (address, wei) => client.setBalance({ address, value: wei }),
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
};
