import { isForkActive, type RollupConfig, type SystemConfig } from '@openledger/chain-config';
import { isOpenLedgerError } from '@openledger/kit';
import { type Address, type Hex, hexToBigInt, keccak256, numberToHex, size, slice, toBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { L1Log, L1Receipt } from './l1Source.ts';

export const CONFIG_UPDATE_TOPIC = keccak256(toBytes('ConfigUpdate(uint256,uint8,bytes)'));

/** What one ConfigUpdate log says. `feeScalars` carries the raw words, `unsafeBlockSigner` concerns gossip only. */
export type ConfigUpdate =
  | { readonly type: 'batcher'; readonly batcherAddress: Address }
  | { readonly type: 'feeScalars'; readonly overhead: bigint; readonly scalar: bigint }
  | { readonly type: 'gasLimit'; readonly gasLimit: bigint }
  | { readonly type: 'unsafeBlockSigner'; readonly signer: Address }
  | { readonly type: 'eip1559'; readonly eip1559Denominator: number; readonly eip1559Elasticity: number }
  | { readonly type: 'operatorFee'; readonly operatorFeeScalar: number; readonly operatorFeeConstant: bigint }
  | { readonly type: 'minBaseFee'; readonly minBaseFee: bigint }
  | { readonly type: 'daFootprintGasScalar'; readonly daFootprintGasScalar: number };

const WORD = 32;
const U32 = 0xffff_ffffn;
const U64 = (1n << 64n) - 1n;

const invalid = (reason: string) =>
  nodeError('SYSTEM_CONFIG_UPDATE_INVALID', `a SystemConfig update is malformed: ${reason}`);

/** The words of an ABI-encoded `bytes` that is the only argument: pointer 32, then the length, then exactly that many bytes. */
const wordsOf = (data: Hex, count: number): bigint[] => {
  if (size(data) !== WORD * (2 + count)) throw invalid(`expected ${WORD * (2 + count)} bytes, got ${size(data)}`);
  const word = (index: number) => hexToBigInt(slice(data, WORD * index, WORD * (index + 1)));
  if (word(0) !== BigInt(WORD)) throw invalid('wrong pointer');
  if (word(1) !== BigInt(WORD * count)) throw invalid('wrong length');
  return Array.from({ length: count }, (_, index) => word(2 + index));
};

const word = (data: Hex, bits: bigint): bigint => {
  const [value = 0n] = wordsOf(data, 1);
  if (value >> bits !== 0n) throw invalid(`the value has more than ${bits} bits`);
  return value;
};

const address = (data: Hex): Address => numberToHex(word(data, 160n), { size: 20 });

/** By update type (specs/protocol/system-config.md; 4 Holocene, 5 Isthmus, 6 and 7 Jovian). */
const parsers: readonly ((data: Hex) => ConfigUpdate)[] = [
  (data) => ({ type: 'batcher', batcherAddress: address(data) }),
  (data) => {
    const [overhead = 0n, scalar = 0n] = wordsOf(data, 2);
    return { type: 'feeScalars', overhead, scalar };
  },
  (data) => ({ type: 'gasLimit', gasLimit: word(data, 64n) }),
  (data) => ({ type: 'unsafeBlockSigner', signer: address(data) }),
  (data) => {
    const packed = word(data, 64n);
    const [denominator, elasticity] = [Number(packed >> 32n), Number(packed & U32)];
    if (denominator === 0 && elasticity !== 0) throw invalid('an EIP-1559 denominator of 0');
    return { type: 'eip1559', eip1559Denominator: denominator, eip1559Elasticity: elasticity };
  },
  (data) => {
    const packed = word(data, 96n);
    return {
      type: 'operatorFee',
      operatorFeeScalar: Number(packed >> 64n),
      operatorFeeConstant: packed & U64,
    };
  },
  (data) => ({ type: 'minBaseFee', minBaseFee: word(data, 64n) }),
  (data) => ({ type: 'daFootprintGasScalar', daFootprintGasScalar: Number(word(data, 16n)) }),
];

/** One log, whatever contract made it. @throws SYSTEM_CONFIG_UPDATE_INVALID */
export const parseConfigUpdate = ({ topics, data }: Pick<L1Log, 'topics' | 'data'>): ConfigUpdate => {
  const [event, version, type] = topics;
  if (topics.length !== 3 || event !== CONFIG_UPDATE_TOPIC || version === undefined || type === undefined) {
    throw invalid('not the topics of ConfigUpdate');
  }
  if (hexToBigInt(version) !== 0n) throw invalid('unknown version');
  const index = hexToBigInt(type);
  const parse = index < BigInt(parsers.length) ? parsers[Number(index)] : undefined;
  if (!parse) throw invalid(`unknown type ${index}`);
  return parse(data);
};

/** Whether Ecotone reads this scalar word: a known version with zeroes between it and its scalars (ecotone/l1-attributes.md). */
const isEcotoneScalar = (scalar: bigint): boolean => {
  const version = scalar >> 248n;
  const used = version === 0n ? 32n : version === 1n ? 64n : undefined;
  return used !== undefined && (scalar & ((1n << 248n) - 1n)) >> used === 0n;
};

/** The configuration after one update. Since Ecotone a scalar that it can't read changes nothing, and the overhead is zero. */
export const applyConfigUpdate = (current: SystemConfig, update: ConfigUpdate, isEcotone: boolean): SystemConfig => {
  const { type, ...values } = update;
  if (type === 'unsafeBlockSigner') return current;
  if (type !== 'feeScalars' || !isEcotone) return { ...current, ...values };
  return isEcotoneScalar(update.scalar) ? { ...current, scalar: update.scalar, overhead: 0n } : current;
};

const parseOrSkip = (log: L1Log): ConfigUpdate | undefined => {
  try {
    return parseConfigUpdate(log);
  } catch (error) {
    if (isOpenLedgerError(error, 'SYSTEM_CONFIG_UPDATE_INVALID')) return undefined;
    throw error;
  }
};

/**
 * The configuration after an L1 block: its SystemConfig's logs of transactions that succeeded, in log order, each applied
 * wholly or, when malformed, not at all (specs/protocol/system-config.md, "System Config Updates"). `l1Timestamp` in seconds.
 */
export const updateSystemConfig = (
  current: SystemConfig,
  receipts: readonly L1Receipt[],
  config: Pick<RollupConfig, 'forks' | 'l1SystemConfigAddress'>,
  l1Timestamp: bigint,
): SystemConfig => {
  const contract = config.l1SystemConfigAddress.toLowerCase();
  const isEcotone = isForkActive(config.forks, 'ecotone', l1Timestamp);
  return receipts
    .filter(({ success }) => success)
    .flatMap(({ logs }) => logs)
    .filter(({ address, topics }) => address === contract && topics[0] === CONFIG_UPDATE_TOPIC)
    .map(parseOrSkip)
    .reduce((config_, update) => (update ? applyConfigUpdate(config_, update, isEcotone) : config_), current);
};
