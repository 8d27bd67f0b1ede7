import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEVNET_MNEMONIC, devnet, devnetRoles, preinstalls } from '@openledger/chain-config';
import { OpenLedgerError, sleep } from '@openledger/kit';
import { bytesToHex, createPublicClient, createTestClient, createWalletClient, defineChain, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { type ChainFile, readChainFile, writeChainFile, writeFileAtomic } from '../chainFile.ts';
import { deployL1 } from '../init/deployL1.ts';
import { makeChainFile } from '../init/makeChainFile.ts';
import { planL1 } from '../init/planL1.ts';
import { type Anvil, startAnvil } from './anvil.ts';

export type Ports = { readonly l1: number; readonly l2: number; readonly graphql: number; readonly runner: number };

/** Ports that browsers and fetch refuse to talk to (WHATWG fetch, "bad port"), of those an offset can reach. */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]);

/** @throws PORT_BLOCKED */
export const portsAt = (offset: number): Ports => {
  const ports = {
    l1: devnet.ports.l1 + offset,
    l2: devnet.ports.l2 + offset,
    graphql: devnet.ports.graphql + offset,
    runner: devnet.ports.runner + offset,
  };
  const blocked = Object.values(ports).find((port) => BLOCKED_PORTS.has(port) || port > 65_535);
  if (blocked === undefined) return ports;
  throw new OpenLedgerError(`port ${blocked} can not be used`, {
    code: 'PORT_BLOCKED',
    handling: 'fatal',
    action: 'Browsers and fetch refuse it, or it does not exist: choose another --port-offset.',
  });
};

export const devnetAccount = (role: keyof typeof devnetRoles) =>
  mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: devnetRoles[role] });

export const devnetPrivateKey = (role: keyof typeof devnetRoles): `0x${string}` =>
  bytesToHex(devnetAccount(role).getHdKey().privateKey ?? new Uint8Array());

export const l1Chain = (url: string) =>
  defineChain({
    id: devnet.l1ChainId,
    name: 'OpenLedger devnet L1',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
    contracts: { multicall3: { address: '0xca11bde05977b3631167028862be2a173976ca11' } },
  });

/** A chain that was stopped for longer than this goes on at the time it had; making up for every second takes too long. */
const CATCH_UP_MS = 5 * 60_000;

export type L1 = { readonly anvil: Anvil; readonly chain: ChainFile; readonly clockOffsetMs: number };

const paths = (dataDir: string) => ({
  chain: join(dataDir, 'chain.json'),
  l1State: join(dataDir, 'l1', 'state.json'),
  l1Pid: join(dataDir, 'l1', 'anvil.pid'),
  clock: join(dataDir, 'clock.json'),
});

export const chainFilePath = (dataDir: string): string => paths(dataDir).chain;

/** Remembers the chain's time, so that the next start knows how long nobody was there. */
export const saveClock = (dataDir: string, chainNowMs: number): void =>
  writeFileAtomic(paths(dataDir).clock, JSON.stringify({ chainNowMs }));

/** Starts L1: with contracts and a new chain in an empty data directory, else where it was. */
export const startL1 = async (options: { dataDir: string; port: number }): Promise<L1> => {
  const files = paths(options.dataDir);
  const existing = existsSync(files.chain);
  const clockOffsetMs = existing ? clockOffset(files.clock) : 0;
  writeFileAtomic(join(options.dataDir, 'l1', '.keep'), '');
  await stopOrphan(files.l1Pid);
  const anvil = await startAnvil({
    port: options.port,
    chainId: devnet.l1ChainId,
    mnemonic: DEVNET_MNEMONIC,
    statePath: files.l1State,
  });
  writeFileAtomic(files.l1Pid, String(anvil.process.pid));
  const chain = l1Chain(anvil.url);
  const test = createTestClient({ chain, mode: 'anvil', transport: http() });
  const result = existing ? readChainFile(files.chain) : await makeChain(anvil.url);
  if (clockOffsetMs !== 0) {
    const seconds = Math.ceil((Date.now() + clockOffsetMs) / 1000);
    await test.request({ method: 'evm_setTime' as never, params: [seconds] as never });
  }
  await test.setIntervalMining({ interval: devnet.l1BlockTime });
  if (!existing) writeChainFile(files.chain, result);
  return { anvil, chain: result, clockOffsetMs };
};

const ORPHAN_MS = 10_000;

/** An L1 that outlived a killed supervisor holds the port and newer state than the disk: let it save itself and end. */
const stopOrphan = async (pidFile: string): Promise<void> => {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const deadline = Date.now() + ORPHAN_MS;
  for (let signal: NodeJS.Signals = 'SIGINT'; isAnvil(pid); signal = Date.now() > deadline ? 'SIGKILL' : 'SIGINT') {
    process.kill(pid, signal);
    await sleep(200);
  }
  rmSync(pidFile, { force: true });
};

/** Process ids are reused; only a process that is called anvil is ours to stop. */
const isAnvil = (pid: number): boolean => {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'comm='], { encoding: 'utf8' })
      .trim()
      .includes('anvil');
  } catch {
    return false;
  }
};

const clockOffset = (path: string): number => {
  if (!existsSync(path)) return 0;
  const { chainNowMs } = JSON.parse(readFileSync(path, 'utf8')) as { chainNowMs: number };
  const gap = Date.now() - chainNowMs;
  return gap > CATCH_UP_MS ? -gap : 0;
};

const makeChain = async (url: string): Promise<ChainFile> => {
  const chain = l1Chain(url);
  const client = createPublicClient({ chain, transport: http() });
  const test = createTestClient({ chain, mode: 'anvil', transport: http() });
  const wallet = createWalletClient({ chain, transport: http(), account: devnetAccount('deployer') });
  const governance = devnetAccount('governance').address;
  // L2 starts from the block before its L1 contracts exist: their first deposit is then part of L2, too. Not from block 0, which
  // anvil makes anew whenever it starts.
  await test.mine({ blocks: 1 });
  const start = await client.getBlock();
  const { l1ChainId, l2ChainId, maxSequencerDrift, sequencerWindowSize, channelTimeout, eip1559, economics } = devnet;
  const { batchInboxAddress } = devnet;
  const systemConfig = { ...devnet.systemConfig, batcherAddress: devnetAccount('batcher').address };
  const blockTime = BigInt(devnet.l2BlockTime);
  const deployment = planL1(
    {
      deployer: wallet.account.address,
      governance,
      proposer: devnetAccount('proposer').address,
      systemConfig,
      batchInbox: batchInboxAddress,
      l2BlockTime: blockTime,
      submissionInterval: 60n,
      finalizationPeriodSeconds: 12n,
      l2GenesisTime: start.timestamp,
      openHolder: wallet.account.address,
    },
    await client.getTransactionCount({ address: wallet.account.address }),
  );
  await deployL1(deployment, {
    client: client as never,
    wallet,
    mine: () => test.mine({ blocks: 1 }),
    pollInterval: 50,
  });
  const name = 'OpenLedger devnet';
  const chainParameters = { name, l1ChainId, l2ChainId, blockTime, maxSequencerDrift, sequencerWindowSize };
  const file = await makeChainFile(
    { ...chainParameters, channelTimeout, eip1559, batchInboxAddress, systemConfig, governance, economics },
    start,
    deployment.contracts,
  );
  // Every public L1 has it, anvil hasn't; clients ask the bridge's contracts through it.
  const multicall3 = file.genesis.alloc[preinstalls.multicall3];
  if (multicall3) await test.setCode({ address: preinstalls.multicall3, bytecode: multicall3.code });
  return file;
};
