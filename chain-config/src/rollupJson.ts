import { type Address, concatHex, type Hash, numberToHex, zeroAddress } from 'viem';
import { packFeeScalars } from './feeScalars.ts';
import { type Fork, type ForkSchedule, forks } from './forks.ts';
import type { BlockId, RollupConfig, SystemConfig } from './rollupConfig.ts';

type Json = Readonly<Record<string, unknown>>;

/** A chain as op-node's `rollup.json` (and its RPC `optimism_rollupConfig`) writes it. Integers are JSON numbers there. */
export const toRollupJson = (config: RollupConfig): Record<string, unknown> => ({
  genesis: {
    l1: { hash: config.genesis.l1.hash, number: Number(config.genesis.l1.number) },
    l2: { hash: config.genesis.l2.hash, number: Number(config.genesis.l2.number) },
    l2_time: Number(config.genesis.l2Time),
    system_config: systemConfigJson(config.genesis.systemConfig),
  },
  block_time: Number(config.blockTime),
  max_sequencer_drift: Number(config.maxSequencerDrift),
  seq_window_size: Number(config.sequencerWindowSize),
  channel_timeout: Number(config.channelTimeout),
  l1_chain_id: config.l1ChainId,
  l2_chain_id: config.l2ChainId,
  // Bedrock has no time there: op-node knows no L2 without it.
  ...Object.fromEntries(
    forks.flatMap((fork) => {
      const time = config.forks[fork];
      return fork === 'bedrock' || time === undefined ? [] : [[`${fork}_time`, Number(time)]];
    }),
  ),
  ...(config.pectraBlobScheduleTime === undefined
    ? {}
    : { pectra_blob_schedule_time: Number(config.pectraBlobScheduleTime) }),
  batch_inbox_address: config.batchInboxAddress,
  deposit_contract_address: config.depositContractAddress,
  l1_system_config_address: config.l1SystemConfigAddress,
  protocol_versions_address: zeroAddress,
  chain_op_config: {
    eip1559Elasticity: config.eip1559.elasticity,
    eip1559Denominator: config.eip1559.denominator,
    eip1559DenominatorCanyon: config.eip1559.denominatorCanyon,
  },
});

const systemConfigJson = (system: SystemConfig): Record<string, unknown> => ({
  batcherAddr: system.batcherAddress,
  overhead: numberToHex(system.overhead, { size: 32 }),
  scalar: numberToHex(system.scalar, { size: 32 }),
  gasLimit: Number(system.gasLimit),
  eip1559Params: concatHex([
    numberToHex(system.eip1559Denominator, { size: 4 }),
    numberToHex(system.eip1559Elasticity, { size: 4 }),
  ]),
  operatorFeeParams: concatHex([
    numberToHex(system.operatorFeeScalar, { size: 24 }),
    numberToHex(system.operatorFeeConstant, { size: 8 }),
  ]),
  minBaseFee: Number(system.minBaseFee),
  daFootprintGasScalar: system.daFootprintGasScalar,
});

/**
 * Reads a rollup.json; forks may be given as op-node writes them (`canyon_time`), bedrock is always active.
 * @throws RangeError naming the field that is missing or wrong
 */
export const parseRollupJson = (json: unknown): RollupConfig => {
  const root = object(json, 'rollup.json');
  const genesis = object(root.genesis, 'genesis');
  const eip1559 = object(root.chain_op_config ?? {}, 'chain_op_config');
  const id = (value: unknown, name: string): BlockId => {
    const block = object(value, name);
    return { hash: text(block.hash, `${name}.hash`) as Hash, number: integer(block.number, `${name}.number`) };
  };
  const pectra = root.pectra_blob_schedule_time;
  return {
    l1ChainId: Number(integer(root.l1_chain_id, 'l1_chain_id')),
    l2ChainId: Number(integer(root.l2_chain_id, 'l2_chain_id')),
    blockTime: integer(root.block_time, 'block_time'),
    maxSequencerDrift: integer(root.max_sequencer_drift, 'max_sequencer_drift'),
    sequencerWindowSize: integer(root.seq_window_size, 'seq_window_size'),
    channelTimeout: integer(root.channel_timeout, 'channel_timeout'),
    genesis: {
      l1: id(genesis.l1, 'genesis.l1'),
      l2: id(genesis.l2, 'genesis.l2'),
      l2Time: integer(genesis.l2_time, 'genesis.l2_time'),
      systemConfig: parseSystemConfig(object(genesis.system_config, 'genesis.system_config')),
    },
    forks: parseForks(root),
    ...(pectra == null ? {} : { pectraBlobScheduleTime: integer(pectra, 'pectra_blob_schedule_time') }),
    eip1559: {
      elasticity: Number(integer(eip1559.eip1559Elasticity ?? 6, 'eip1559Elasticity')),
      denominator: Number(integer(eip1559.eip1559Denominator ?? 50, 'eip1559Denominator')),
      denominatorCanyon: Number(integer(eip1559.eip1559DenominatorCanyon ?? 250, 'eip1559DenominatorCanyon')),
    },
    batchInboxAddress: text(root.batch_inbox_address, 'batch_inbox_address') as Address,
    depositContractAddress: text(root.deposit_contract_address, 'deposit_contract_address') as Address,
    l1SystemConfigAddress: text(root.l1_system_config_address, 'l1_system_config_address') as Address,
  };
};

const parseForks = (root: Json): ForkSchedule => {
  const times = forks.flatMap((fork): [Fork, bigint][] => {
    if (fork === 'bedrock') return [[fork, 0n]];
    const time = root[`${fork}_time`];
    return time == null ? [] : [[fork, integer(time, `${fork}_time`)]];
  });
  return { regolith: 0n, ...Object.fromEntries(times) };
};

const parseSystemConfig = (json: Json): SystemConfig => {
  const number = (name: string) => (json[name] == null ? 0n : integer(json[name], name));
  const params = json.eip1559Params == null ? 0n : BigInt(text(json.eip1559Params, 'eip1559Params'));
  const operator = json.operatorFeeParams == null ? 0n : BigInt(text(json.operatorFeeParams, 'operatorFeeParams'));
  const u32 = 0xffff_ffffn;
  const scalars = {
    baseFeeScalar: Number(number('baseFeeScalar')),
    blobBaseFeeScalar: Number(number('blobBaseFeeScalar')),
  };
  return {
    batcherAddress: text(json.batcherAddr, 'batcherAddr') as Address,
    overhead: number('overhead'),
    scalar: json.scalar == null ? packFeeScalars(scalars) : number('scalar'),
    gasLimit: integer(json.gasLimit, 'gasLimit'),
    eip1559Denominator: Number(json.eip1559Denominator == null ? params >> 32n : number('eip1559Denominator')),
    eip1559Elasticity: Number(json.eip1559Elasticity == null ? params & u32 : number('eip1559Elasticity')),
    operatorFeeScalar: Number(json.operatorFeeScalar == null ? (operator >> 64n) & u32 : number('operatorFeeScalar')),
    operatorFeeConstant:
      json.operatorFeeConstant == null ? operator & ((1n << 64n) - 1n) : number('operatorFeeConstant'),
    minBaseFee: number('minBaseFee'),
    daFootprintGasScalar: Number(number('daFootprintGasScalar')),
  };
};

const object = (value: unknown, name: string): Json => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RangeError(`${name}: expected an object`);
  return value as Json;
};
const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string') throw new RangeError(`${name}: expected a string`);
  return value;
};
const integer = (value: unknown, name: string): bigint => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value)) return BigInt(value);
  throw new RangeError(`${name}: expected an integer`);
};
