import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forks, preinstalls, type RollupConfig } from '@openledger/chain-config';
import type { Address, Hex } from 'viem';
import { createCommon } from '../../../node/src/execution/createCommon.ts';
import { OpRules } from '../../../node/src/execution/opRules.ts';
import { makeGenesisBlock } from '../../../node/src/genesis/genesisBlock.ts';
import { GenesisMachine } from '../../../node/src/genesis/genesisMachine.ts';
import { type GethGenesis, readGethGenesis } from '../../../node/src/genesis/gethGenesis.ts';
import { installPreinstalls } from '../../../node/src/genesis/preinstalls.ts';
import type { Case, Suite } from '../suite.ts';
import { decompressZstd } from './support/decompressZstd.ts';
import { expectEqual } from './support/expect.ts';
import { type FixtureFile, filesUnder } from './support/fixtureFiles.ts';
import { findKonaChain, findKonaNetwork, type KonaNetwork, readKonaRegistry } from './support/konaRegistry.ts';
import { openRegistry, type Registry } from './support/registry.ts';
import { openStates } from './support/states.ts';

/** The superchain-registry's chains: their files parse, agree with kona's reading of them, and give their genesis hashes. */
export const genesis: Suite = {
  name: 'genesis',
  cases: async (fixtures) => {
    const registry = openRegistry(fixtures);
    const kona = readKonaRegistry(fixtures);
    const folder = join(fixtures, 'superchain-registry');
    const cases: Case[] = [
      ...registry.networks.map((file) => networkCase(file, registry, findKonaNetwork(kona, file.path))),
      ...registry.chains.map((file) => chainCase(file, registry, kona)),
      ...filesUnder(join(folder, 'genesis'), '.json.zst').flatMap((file) => genesisCases(file, registry, folder)),
    ];
    return cases.length > 0 ? cases : undefined;
  },
};

/** A TOML has newer forks than kona's older snapshot; what that has must be equal. */
const expectForks = (
  actual: Readonly<Record<string, bigint>>,
  expected: Readonly<Record<string, number | null>>,
): void => {
  for (const fork of forks) {
    const time = expected[`${fork}_time`];
    if (time !== undefined && time !== null) expectEqual(actual[fork], BigInt(time), fork);
  }
};

const networkCase = (file: FixtureFile, registry: Registry, kona: ReturnType<typeof findKonaNetwork>): Case => ({
  name: `configs/${file.path}`,
  run: () => {
    const network = registry.readNetwork(file.path.split('/').slice(0, -1).join('/'));
    if (!kona) return;
    expectEqual(network.l1.chainId, kona.config.l1.chain_id, 'L1 chain');
    expectForks(network.forks as Record<string, bigint>, kona.config.hardforks);
  },
});

const chainCase = (file: FixtureFile, registry: Registry, kona: readonly KonaNetwork[]): Case => ({
  name: `configs/${file.path}`,
  run: () => {
    const chain = registry.readChain(file);
    const { config } = chain;
    const twin = findKonaChain(kona, config.l2ChainId, config.genesis.l2.hash);
    if (!twin) return;
    const { genesis: theirs, optimism } = twin;
    expectForks(config.forks as Record<string, bigint>, twin.hardfork_configuration);
    const pectra = twin.hardfork_configuration.pectra_blob_schedule_time;
    if (pectra != null) expectEqual(config.pectraBlobScheduleTime, BigInt(pectra), 'pectraBlobScheduleTime');
    expectEqual(
      {
        timing: [config.blockTime, config.sequencerWindowSize, config.maxSequencerDrift],
        inbox: config.batchInboxAddress,
        eip1559: config.eip1559,
        l1: config.genesis.l1,
        l2: config.genesis.l2,
        l2Time: config.genesis.l2Time,
        batcher: config.genesis.systemConfig.batcherAddress,
        scalars: [config.genesis.systemConfig.overhead, config.genesis.systemConfig.scalar],
        gasLimit: config.genesis.systemConfig.gasLimit,
        token: chain.gasPayingToken ?? null,
        availability: chain.dataAvailability,
      },
      {
        timing: [twin.block_time, twin.seq_window_size, twin.max_sequencer_drift].map(BigInt),
        inbox: twin.batch_inbox_address,
        eip1559: {
          elasticity: optimism.eip1559Elasticity,
          denominator: optimism.eip1559Denominator,
          denominatorCanyon: optimism.eip1559DenominatorCanyon,
        },
        l1: { hash: theirs.l1.hash, number: BigInt(theirs.l1.number) },
        l2: { hash: theirs.l2.hash, number: BigInt(theirs.l2.number) },
        l2Time: BigInt(theirs.l2_time),
        batcher: theirs.system_config.batcherAddr,
        scalars: [theirs.system_config.overhead, theirs.system_config.scalar].map(BigInt),
        gasLimit: BigInt(theirs.system_config.gasLimit),
        token: twin.GasPayingToken,
        availability: twin.DataAvailabilityType,
      },
      'chain',
    );
    for (const [name, address] of Object.entries(chain.contracts)) {
      const same = Object.keys(twin.Addresses).find((key) => key.toLowerCase() === name.toLowerCase());
      if (same && twin.Addresses[same]) expectEqual(address, twin.Addresses[same], name);
    }
  },
});

/** `genesis/NETWORK/CHAIN.json.zst` with the chain's TOML must give the hash that the TOML states. */
const genesisCases = (file: FixtureFile, registry: Registry, folder: string): Case[] => {
  const path = file.path.replace(/\.json\.zst$/, '.toml');
  const toml = registry.chains.find((chain) => chain.path === path);
  // A chain that is older than Bedrock starts at a later block, of which the file says nothing.
  if (toml && registry.readChain(toml).config.genesis.l2.number !== 0n) {
    process.stderr.write(`genesis: no case of ${file.path}: its chain was migrated\n`);
    return [];
  }
  const read = async (): Promise<{ config: RollupConfig; zero: GethGenesis }> => {
    if (!toml) throw new Error(`no configs/${path}`);
    const json = await decompressZstd(file.bytes, readFileSync(join(folder, 'dictionary')));
    return { config: registry.readChain(toml).config, zero: readGethGenesis(json) };
  };
  const hash = async (): Promise<void> => {
    const { config, zero } = await read();
    const common = new OpRules(config).commonAt({ number: 0n, timestamp: zero.timestamp });
    const { block } = await makeGenesisBlock({ ...zero, config }, openStates(), common);
    expectEqual(block.hash, config.genesis.l2.hash, 'genesis hash');
    expectEqual(block.header.timestamp, config.genesis.l2Time, 'genesis time');
  };
  /** Those that this chain had at its genesis; each has a code of its own only in Permit2. */
  const preinstallCode = async (): Promise<void> => {
    const { config, zero } = await read();
    const machine = await GenesisMachine.create(createCommon(config.l2ChainId), zero.timestamp);
    await installPreinstalls(machine, config.l2ChainId);
    const ours = await machine.alloc();
    for (const [name, address] of Object.entries(preinstalls)) {
      const code = (zero.alloc as Record<Address, { code: Hex }>)[address]?.code;
      if (code !== undefined && code !== '0x') expectEqual(ours[address]?.code, code, name);
    }
  };
  return [
    { name: `genesis/${file.path}`, run: hash },
    { name: `genesis/${file.path} preinstalls`, run: preinstallCode },
  ];
};
