import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVNET_MNEMONIC, devnet, opPredeploys } from '@openledger/chain-config';
import { createMetrics, silentLogger } from '@openledger/kit';
import { Engine, optimismArtifact, readGethGenesis } from '@openledger/node';
import { MemoryLevel } from 'memory-level';
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  getAddress,
  type Hex,
  http,
  parseEther,
} from 'viem';
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount, privateKeyToAddress } from 'viem/accounts';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { readChainFile } from '../chainFile.ts';
import { startAnvil } from '../devnet/anvil.ts';
import { deployL1 } from './deployL1.ts';
import { initChain } from './initChain.ts';
import { deploymentInputs, type InitOptions } from './parameters.ts';
import { planL1 } from './planL1.ts';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const startL1 = async (chainId: number) => {
  const anvil = await startAnvil({ port: await freePort(), chainId, mnemonic: DEVNET_MNEMONIC });
  const chain = defineChain({
    id: chainId,
    name: 'l1',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [anvil.url] } },
  });
  const test = createTestClient({ chain, mode: 'anvil', transport: http() });
  await test.setAutomine(true);
  return { anvil, chain, url: anvil.url, test, client: createPublicClient({ chain, transport: http(), cacheTime: 0 }) };
};

const l1 = await startL1(900);
afterAll(() => l1.anvil.stop());
const folder = mkdtempSync(join(tmpdir(), 'openledger-init-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fundedKey = async (): Promise<Hex> => {
  const key = generatePrivateKey();
  await l1.test.setBalance({ address: privateKeyToAddress(key), value: parseEther('1000') });
  return key;
};
const batcher = privateKeyToAddress(generatePrivateKey());
const governance = privateKeyToAddress(generatePrivateKey());

const options = (name: string, key: Hex, changes: Partial<InitOptions> = {}): InitOptions => ({
  l1Url: l1.url,
  l2ChainId: 77_001,
  name,
  out: join(folder, name),
  key,
  batcher,
  governance,
  blockTime: 2n,
  finalizationPeriod: 100n,
  submissionInterval: 60n,
  economics: {
    minBond: 1n,
    unbondingSeconds: 16_385n,
    rewardBond: 1n,
    disputeWindow: 1n,
    rewardRequestFee: 1n,
    rewardResponseWindow: 1n,
    closeDelay: 1n,
    audits: { ...devnet.economics.audits, beaconDelay: 0, reportSeconds: 1n, voteSeconds: 1n },
  },
  pollInterval: 20,
  say: () => {},
  ...changes,
});
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('openledger init', () => {
  it('makes a chain that a node starts on, with the hash that rollup.json says', async () => {
    const key = await fundedKey();
    const { chain, genesisHash, files } = await initChain(options('one', key));
    const db = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
    const engine = await Engine.open({
      db: db as never,
      genesis: readChainFile(files.chain).genesis,
      log: silentLogger,
      metrics: createMetrics('test'),
    });
    const rollup = json(files.rollup);
    expect(rollup.genesis.l2).toEqual({ hash: engine.heads.unsafe.hash, number: 0 });
    expect(genesisHash).toBe(engine.heads.unsafe.hash);
    expect(rollup).toMatchObject({
      l1_chain_id: 900,
      l2_chain_id: 77_001,
      jovian_time: 0,
      karst_time: 0,
      batch_inbox_address: '0xff00000000000000000000000000000000077001',
      genesis: { system_config: { batcherAddr: batcher, gasLimit: 60_000_000 } },
    });
    const genesis = readGethGenesis(readFileSync(files.genesis, 'utf8'));
    expect(genesis.config.chainId).toBe(77_001);
    expect(genesis.alloc).toEqual(chain.genesis.alloc);
    expect(genesis.alloc[opPredeploys.gasPriceOracle as `0x${string}`]?.code.length).toBeGreaterThan(2);
  });

  it('leaves the contracts to governance and knows the batcher', async () => {
    const { chain } = await initChain(options('owned', await fundedKey()));
    const { abi } = optimismArtifact('SystemConfig');
    const read = (functionName: string) =>
      l1.client.readContract({ address: chain.l1Contracts.systemConfig, abi, functionName });
    expect(await read('owner')).toBe(governance);
    expect(await read('batcherHash')).toBe(`0x${'00'.repeat(12)}${batcher.slice(2).toLowerCase()}`);
    expect(await read('optimismPortal')).toBe(getAddress(chain.l1Contracts.optimismPortal));
    const admin = await l1.client.getStorageAt({
      address: chain.l1Contracts.optimismPortal,
      slot: '0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103',
    });
    expect(admin?.slice(-40)).toBe(governance.slice(2).toLowerCase());
  });

  it('run again it changes nothing', async () => {
    const key = await fundedKey();
    const first = await initChain(options('again', key));
    const before = await l1.client.getTransactionCount({ address: privateKeyToAddress(key) });
    const second = await initChain(options('again', key));
    expect(second).toEqual(first);
    expect(await l1.client.getTransactionCount({ address: privateKeyToAddress(key) })).toBe(before);
  });

  it.each([1, 9, 25])('goes on after a stop behind transaction %i', async (count) => {
    const key = await fundedKey();
    const address = privateKeyToAddress(key);
    const start = await l1.client.getTransactionCount({ address });
    let sent = 0;
    const dying = options(`stopped-${count}`, key, {
      say: (line) => {
        if (line.startsWith('  ') && ++sent === count) throw new Error('stopped');
      },
    });
    await expect(initChain(dying)).rejects.toThrow('stopped');
    expect(await l1.client.getTransactionCount({ address })).toBe(start + count);
    const { files } = await initChain(options(`stopped-${count}`, key));
    const journal = json(files.journal);
    expect(journal.complete).toBe(true);
    expect(Object.keys(journal.transactions)).toHaveLength((await l1.client.getTransactionCount({ address })) - start);
  });

  it('refuses a folder with another chain, and a deployer that did something else in between', async () => {
    const key = await fundedKey();
    await initChain(options('mine', key));
    const other = initChain(options('mine', key, { l2ChainId: 77_002 }));
    await expect(other).rejects.toEqual(expect.objectContaining({ code: 'CHAIN_EXISTS' }));
    await expect(initChain(options('mine', await fundedKey()))).rejects.toEqual(
      expect.objectContaining({ code: 'CHAIN_EXISTS' }),
    );
    const journal = json(join(folder, 'mine', 'deployments.json'));
    writeFileSync(
      join(folder, 'mine', 'deployments.json'),
      JSON.stringify({ ...journal, complete: false, firstNonce: journal.firstNonce + 5 }),
    );
    await expect(initChain(options('mine', key))).rejects.toThrow();
  });

  it('fails when a transaction failed, instead of taking it for done', async () => {
    const poor = generatePrivateKey();
    await expect(initChain(options('poor', poor))).rejects.toEqual(
      expect.objectContaining({ code: 'L1_DEPLOYMENT_FAILED' }),
    );
  });
});

describe('an L1 that mines when it is told to', () => {
  it('gets everything at once and mines it into one block', async () => {
    await l1.test.setAutomine(false);
    onTestFinished(() => l1.test.setAutomine(true));
    const account = privateKeyToAccount(await fundedKey());
    // Funding is a state change, not a transaction: nothing else waits to be mined.
    const wallet = createWalletClient({ account, chain: l1.chain, transport: http(l1.url) });
    const { number, timestamp } = await l1.client.getBlock();
    const given = options('unused', generatePrivateKey());
    const roles = { deployer: account.address, batcher, proposer: batcher, governance };
    const plan = planL1(deploymentInputs(given, roles, { hash: '0x', number, timestamp }), 0);
    const client = l1.client as never;
    await deployL1(plan, { client, wallet, mine: () => l1.test.mine({ blocks: 1 }), pollInterval: 20 });
    expect(await l1.client.getBlockNumber()).toBe(number + 1n);
  });
});

describe('a bond that would be free before an audit is over', () => {
  it('is refused before anything is sent', async () => {
    const key = await fundedKey();
    const { economics } = options('short', key);
    for (const changes of [
      { economics: { ...economics, unbondingSeconds: 16_384n } },
      { blockTime: 3n },
      { economics: { ...economics, audits: { ...economics.audits, voteSeconds: 2n } } },
    ]) {
      await expect(initChain(options('short', key, changes))).rejects.toEqual(
        expect.objectContaining({ code: 'UNBONDING_TOO_SHORT', handling: 'fatal' }),
      );
    }
    expect(await l1.client.getTransactionCount({ address: privateKeyToAddress(key) })).toBe(0);
  });
});

describe('the keys of the test mnemonic', () => {
  const known = mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: 3 }).address;

  it('are refused off dev chains, in every role', async () => {
    const real = await startL1(11_155_111);
    onTestFinished(() => real.anvil.stop());
    for (const role of ['batcher', 'proposer', 'governance'] as const) {
      const asked = options('known', generatePrivateKey(), { l1Url: real.url, [role]: known });
      await expect(initChain(asked)).rejects.toEqual(
        expect.objectContaining({ code: 'KEY_WELL_KNOWN', meta: { role } }),
      );
    }
  });
});
