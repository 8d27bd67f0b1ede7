import {
  type BlockId,
  type Fork,
  feeScalars,
  isForkActive,
  opPredeploys,
  packFeeScalars,
  type RollupConfig,
  type SystemConfig,
  systemAddresses,
  upgradeGas,
} from '@openledger/chain-config';
import { type Address, concatHex, type Hex, hexToBigInt, hexToNumber, numberToHex, pad, size, slice } from 'viem';
import { nodeError } from '../errors.ts';
import type { Block } from './block.ts';
import { type DepositTransaction, l1AttributesSourceHash } from './depositTransaction.ts';

/** What L2 knows of L1 (l1-attributes.md of each fork). Fees in wei of ETH. */
export type L1Attributes = {
  readonly origin: BlockId;
  readonly timestamp: bigint;
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  /** Number of L2 blocks since the first of this origin. */
  readonly sequenceNumber: bigint;
  readonly systemConfig: AttributesConfig;
};

/** The part of the system config that the attributes carry. */
export type AttributesConfig = Pick<
  SystemConfig,
  'batcherAddress' | 'overhead' | 'scalar' | 'operatorFeeScalar' | 'operatorFeeConstant' | 'daFootprintGasScalar'
>;

export type L1AttributesFormat = 'bedrock' | 'ecotone' | 'isthmus' | 'jovian';

type Shape = { readonly selector: Hex; readonly length: number };
const shapes: Readonly<Record<L1AttributesFormat, Shape>> = {
  bedrock: { selector: '0x015d8eb9', length: 4 + 8 * 32 },
  ecotone: { selector: '0x440a5e20', length: 164 },
  isthmus: { selector: '0x098999be', length: 176 },
  jovian: { selector: '0x3db6be2b', length: 178 },
};

/**
 * The format of a block's attributes. In a fork's first block L1Block isn't upgraded yet (its deposits come behind the
 * attributes), so that block still has the older format.
 */
export const l1AttributesFormat = (
  config: Pick<RollupConfig, 'forks' | 'blockTime'>,
  timestamp: bigint,
): L1AttributesFormat => {
  const settled = (fork: Fork): boolean => {
    if (!isForkActive(config.forks, fork, timestamp)) return false;
    return timestamp < config.blockTime || isForkActive(config.forks, fork, timestamp - config.blockTime);
  };
  return (['jovian', 'isthmus', 'ecotone'] as const).find(settled) ?? 'bedrock';
};

const uint = (value: bigint | number, bytes: number): Hex => numberToHex(value, { size: bytes });

export const encodeL1Attributes = (format: L1AttributesFormat, l1: L1Attributes): Hex => {
  const { selector } = shapes[format];
  const { systemConfig, origin } = l1;
  const batcher = pad(systemConfig.batcherAddress, { size: 32 });
  if (format === 'bedrock') {
    return concatHex([
      selector,
      uint(origin.number, 32),
      uint(l1.timestamp, 32),
      uint(l1.baseFee, 32),
      origin.hash,
      uint(l1.sequenceNumber, 32),
      batcher,
      uint(systemConfig.overhead, 32),
      uint(systemConfig.scalar, 32),
    ]);
  }
  const { baseFeeScalar, blobBaseFeeScalar } = feeScalars(systemConfig.scalar);
  const operator = [uint(systemConfig.operatorFeeScalar, 4), uint(systemConfig.operatorFeeConstant, 8)];
  return concatHex([
    selector,
    uint(baseFeeScalar, 4),
    uint(blobBaseFeeScalar, 4),
    uint(l1.sequenceNumber, 8),
    uint(l1.timestamp, 8),
    uint(origin.number, 8),
    uint(l1.baseFee, 32),
    uint(l1.blobBaseFee, 32),
    origin.hash,
    batcher,
    ...(format === 'ecotone' ? [] : operator),
    ...(format === 'jovian' ? [uint(systemConfig.daFootprintGasScalar, 2)] : []),
  ]);
};

/** @throws BLOCK_INVALID when the calldata has none of the formats. */
export const decodeL1Attributes = (data: Hex): L1Attributes & { readonly format: L1AttributesFormat } => {
  const selector = size(data) < 4 ? '0x' : slice(data, 0, 4);
  const formats = Object.entries(shapes) as [L1AttributesFormat, Shape][];
  const format = formats.find(([, shape]) => shape.selector === selector && shape.length === size(data))?.[0];
  if (!format) throw nodeError('BLOCK_INVALID', 'L1 attributes of an unknown format', { selector });
  let position = 4;
  const take = (bytes: number): Hex => {
    position += bytes;
    return slice(data, position - bytes, position);
  };
  const integer = (bytes: number): bigint => hexToBigInt(take(bytes));
  const batcher = (): Address => slice(take(32), 12, 32);
  if (format === 'bedrock') {
    const [number, timestamp, baseFee, hash, sequenceNumber] = [
      integer(32),
      integer(32),
      integer(32),
      take(32),
      integer(32),
    ];
    const systemConfig = { ...noOperator, batcherAddress: batcher(), overhead: integer(32), scalar: integer(32) };
    return { format, origin: { number, hash }, timestamp, baseFee, blobBaseFee: 0n, sequenceNumber, systemConfig };
  }
  const [baseFeeScalar, blobBaseFeeScalar] = [hexToNumber(take(4)), hexToNumber(take(4))];
  const [sequenceNumber, timestamp, number] = [integer(8), integer(8), integer(8)];
  const [baseFee, blobBaseFee, hash, batcherAddress] = [integer(32), integer(32), take(32), batcher()];
  const operator =
    format === 'ecotone' ? {} : { operatorFeeScalar: hexToNumber(take(4)), operatorFeeConstant: integer(8) };
  const footprint = format === 'jovian' ? { daFootprintGasScalar: hexToNumber(take(2)) } : {};
  const scalar = packFeeScalars({ baseFeeScalar, blobBaseFeeScalar });
  const systemConfig = { ...noOperator, batcherAddress, overhead: 0n, scalar, ...operator, ...footprint };
  return { format, origin: { number, hash }, timestamp, baseFee, blobBaseFee, sequenceNumber, systemConfig };
};

const noOperator = { operatorFeeScalar: 0, operatorFeeConstant: 0n, daFootprintGasScalar: 0 };

/** Since Regolith; enough for any L1Block, and it doesn't pay. */
const GAS = 1_000_000n;
const GAS_BEDROCK = 150_000_000n;

/** The first transaction of every L2 block. */
export const l1AttributesDeposit = (
  config: Pick<RollupConfig, 'forks' | 'blockTime'>,
  l2Timestamp: bigint,
  l1: L1Attributes,
): DepositTransaction => {
  const regolith = isForkActive(config.forks, 'regolith', l2Timestamp);
  return {
    sourceHash: l1AttributesSourceHash(l1.origin.hash, l1.sequenceNumber),
    from: systemAddresses.depositor,
    to: opPredeploys.l1Block,
    mint: 0n,
    value: 0n,
    gas: regolith ? GAS : GAS_BEDROCK,
    isSystemTransaction: !regolith,
    data: encodeL1Attributes(l1AttributesFormat(config, l2Timestamp), l1),
  };
};

/** Reads origin and sequence number back from a block's first transaction. @throws BLOCK_INVALID */
export const parseL1Attributes = (deposit: DepositTransaction): L1Attributes => {
  const { data, from, to } = deposit;
  if (from !== systemAddresses.depositor || to !== opPredeploys.l1Block) {
    throw nodeError('BLOCK_INVALID', 'the first transaction is not the L1 attributes deposit');
  }
  return decodeL1Attributes(data);
};

/**
 * The system config as of an L2 block, read back from the block itself (as op-node does): attributes, gas limit and
 * extraData together hold all of it. Genesis has the rollup's own.
 * @throws BLOCK_INVALID
 */
export const systemConfigOfBlock = (block: Block, config: RollupConfig): SystemConfig => {
  if (block.header.number === config.genesis.l2.number) return config.genesis.systemConfig;
  const first = block.transactions[0];
  if (first?.kind !== 'deposit') throw nodeError('BLOCK_INVALID', 'a block starts with its L1 attributes deposit');
  const { systemConfig } = parseL1Attributes(first.deposit);
  const { extraData, gasLimit, timestamp } = block.header;
  const holocene = isForkActive(config.forks, 'holocene', timestamp);
  const jovian = isForkActive(config.forks, 'jovian', timestamp);
  return {
    ...systemConfig,
    gasLimit: gasLimit - upgradeGas(config, timestamp - config.blockTime, timestamp),
    eip1559Denominator: holocene ? hexToNumber(slice(extraData, 1, 5)) : 0,
    eip1559Elasticity: holocene ? hexToNumber(slice(extraData, 5, 9)) : 0,
    minBaseFee: jovian ? hexToBigInt(slice(extraData, 9, 17)) : 0n,
  };
};
