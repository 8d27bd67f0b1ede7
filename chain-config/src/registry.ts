import { parse } from 'smol-toml';
import type { Address, Hash } from 'viem';
import { type Fork, type ForkSchedule, forks } from './forks.ts';
import type { RollupConfig } from './rollupConfig.ts';

/** A `superchain.toml`: what the chains of one L1 share. */
export type RegistryNetwork = {
  readonly name: string;
  readonly l1: { readonly chainId: number; readonly rpc: string; readonly explorer: string };
  /** Activations that chains with a `superchain_time` inherit. */
  readonly forks: ForkSchedule;
  readonly superchainConfigAddress?: Address;
};

/** A chain's file in the superchain-registry. Addresses in lowercase, contracts and roles under the registry's names. */
export type RegistryChain = {
  readonly name: string;
  readonly config: RollupConfig;
  readonly dataAvailability: string;
  readonly governedByOptimism: boolean;
  readonly superchainTime?: bigint;
  readonly gasPayingToken?: Address;
  readonly contracts: Readonly<Record<string, Address>>;
  readonly roles: Readonly<Record<string, Address>>;
  readonly rpc: string;
  readonly sequencerRpc: string;
  readonly explorer: string;
};

/** The text is not a registry file: bad TOML, or a value that is missing or of the wrong kind. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code = 'REGISTRY_INVALID';
}

/** Bedrock's, in L1 blocks; Granite's is a constant (granite/derivation.md). The registry doesn't state it. */
const CHANNEL_TIMEOUT_BEDROCK = 300n;

type Table = Readonly<Record<string, unknown>>;

/** @throws RegistryError */
export const parseRegistryNetwork = (toml: string): RegistryNetwork => {
  const file = parseToml(toml);
  const l1 = table(file, 'l1');
  return {
    name: text(file, 'name'),
    l1: { chainId: Number(integer(l1, 'chain_id')), rpc: text(l1, 'public_rpc'), explorer: text(l1, 'explorer') },
    forks: readForks(table(file, 'hardforks')),
    ...optional('superchainConfigAddress', file.superchain_config_addr, () => address(file, 'superchain_config_addr')),
  };
};

/** @throws RegistryError */
export const parseRegistryChain = (toml: string, network: RegistryNetwork): RegistryChain => {
  const file = parseToml(toml);
  const genesis = table(file, 'genesis');
  const system = table(genesis, 'system_config');
  const eip1559 = table(file, 'optimism');
  const hardforks = table(file, 'hardforks');
  const contracts = addresses(table(file, 'addresses'));
  const l2Time = integer(genesis, 'l2_time');
  const superchainTime = file.superchain_time === undefined ? undefined : integer(file, 'superchain_time');
  const known = (name: string): Address => contracts[name] ?? fail(`no ${name}`);
  return {
    name: text(file, 'name'),
    config: {
      l1ChainId: network.l1.chainId,
      l2ChainId: Number(integer(file, 'chain_id')),
      blockTime: integer(file, 'block_time'),
      maxSequencerDrift: integer(file, 'max_sequencer_drift'),
      sequencerWindowSize: integer(file, 'seq_window_size'),
      channelTimeout: CHANNEL_TIMEOUT_BEDROCK,
      genesis: {
        l1: blockId(table(genesis, 'l1')),
        l2: blockId(table(genesis, 'l2')),
        l2Time,
        systemConfig: {
          batcherAddress: address(system, 'batcherAddress'),
          gasLimit: integer(system, 'gasLimit'),
          overhead: word(system, 'overhead'),
          scalar: word(system, 'scalar'),
          operatorFeeScalar: Number(integer(system, 'operatorFeeScalar', 0n)),
          operatorFeeConstant: integer(system, 'operatorFeeConstant', 0n),
          daFootprintGasScalar: Number(integer(system, 'daFootprintGasScalar', 0n)),
          eip1559Denominator: Number(integer(system, 'eip1559Denominator', 0n)),
          eip1559Elasticity: Number(integer(system, 'eip1559Elasticity', 0n)),
          minBaseFee: integer(system, 'minBaseFee', 0n),
        },
      },
      forks: { ...inheritedForks(network.forks, superchainTime, l2Time), ...readForks(hardforks), ...SINCE_GENESIS },
      ...optional('pectraBlobScheduleTime', hardforks.pectra_blob_schedule_time, (value) => BigInt(value as bigint)),
      eip1559: {
        elasticity: Number(integer(eip1559, 'eip1559_elasticity')),
        denominator: Number(integer(eip1559, 'eip1559_denominator')),
        denominatorCanyon: Number(integer(eip1559, 'eip1559_denominator_canyon')),
      },
      batchInboxAddress: address(file, 'batch_inbox_addr'),
      depositContractAddress: known('OptimismPortalProxy'),
      l1SystemConfigAddress: known('SystemConfigProxy'),
    },
    dataAvailability: text(file, 'data_availability_type'),
    governedByOptimism: file.governed_by_optimism === true,
    ...optional('superchainTime', superchainTime, (value) => value as bigint),
    ...optional('gasPayingToken', file.gas_paying_token, () => address(file, 'gas_paying_token')),
    contracts,
    roles: addresses(table(file, 'roles')),
    rpc: text(file, 'public_rpc'),
    sequencerRpc: text(file, 'sequencer_rpc'),
    explorer: text(file, 'explorer'),
  };
};

/** Every chain of the registry has these from its first block on; no file states them. */
const SINCE_GENESIS: ForkSchedule = { bedrock: 0n, regolith: 0n };

const readForks = (hardforks: Table): ForkSchedule => {
  const times = forks.flatMap((fork): [Fork, bigint][] => {
    const key = `${fork}_time`;
    return hardforks[key] === undefined ? [] : [[fork, integer(hardforks, key)]];
  });
  return Object.fromEntries(times);
};

/** docs/hardfork-activation-inheritance.md of the registry: from `superchain_time` on; 0 for what genesis already had. */
const inheritedForks = (shared: ForkSchedule, superchainTime: bigint | undefined, l2Time: bigint): ForkSchedule => {
  if (superchainTime === undefined) return {};
  const inherited = Object.entries(shared)
    .filter(([, time]) => time >= superchainTime)
    .map(([fork, time]) => [fork, time <= l2Time ? 0n : time]);
  return Object.fromEntries(inherited);
};

const parseToml = (toml: string): Table => {
  try {
    return parse(toml, { integersAsBigInt: true });
  } catch (cause) {
    throw new RegistryError('the registry file is no TOML', { cause });
  }
};

const table = (parent: Table, key: string): Table => {
  const value = parent[key];
  return value !== null && typeof value === 'object' ? (value as Table) : fail(`no table ${key}`);
};

const text = (parent: Table, key: string): string => {
  const value = parent[key];
  return typeof value === 'string' ? value : fail(`no text ${key}`);
};

const integer = (parent: Table, key: string, fallback?: bigint): bigint => {
  const value = parent[key] ?? fallback;
  return typeof value === 'bigint' && value >= 0n ? value : fail(`no integer ${key}`);
};

const hexOf = (parent: Table, key: string, bytes: number): `0x${string}` => {
  const value = text(parent, key);
  if (!new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`).test(value)) fail(`${key} is not ${bytes} bytes of hex`);
  return value.toLowerCase() as `0x${string}`;
};

const address = (parent: Table, key: string): Address => hexOf(parent, key, 20);
const word = (parent: Table, key: string): bigint => BigInt(hexOf(parent, key, 32));
const blockId = (parent: Table): { hash: Hash; number: bigint } => ({
  hash: hexOf(parent, 'hash', 32),
  number: integer(parent, 'number'),
});

const addresses = (parent: Table): Record<string, Address> =>
  Object.fromEntries(Object.keys(parent).map((key) => [key, address(parent, key)]));

const optional = <K extends string, V>(key: K, value: unknown, read: (value: unknown) => V): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: read(value) } as { [P in K]?: V });

const fail = (what: string): never => {
  throw new RegistryError(`the registry file has ${what}`);
};
