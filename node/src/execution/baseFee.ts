import { type Fork, includesFork, isForkActive, type RollupConfig, type SystemConfig } from '@openledger/chain-config';
import { type Hex, hexToBigInt, numberToHex, size, slice } from 'viem';
import type { Header } from '../primitives/header.ts';

/** EIP-1559 parameters that a block carries in its extraData since Holocene; `minBaseFee` (wei) since Jovian. */
export type Eip1559Params = { readonly denominator: number; readonly elasticity: number; readonly minBaseFee: bigint };

/** What fee rules need to know of a chain. */
export type FeeConfig = Pick<RollupConfig, 'forks' | 'eip1559'>;

/**
 * A block's extraData: empty before Holocene, then version 0, u32 denominator, u32 elasticity (holocene/exec-engine.md), since
 * Jovian version 1 with u64 minimum base fee. Unset parameters mean the chain's own.
 */
export const encodeExtraData = (
  fork: Fork,
  chain: RollupConfig['eip1559'],
  params: Pick<SystemConfig, 'eip1559Denominator' | 'eip1559Elasticity' | 'minBaseFee'>,
): Hex => {
  if (!includesFork(fork, 'holocene')) return '0x';
  const unset = params.eip1559Denominator === 0 && params.eip1559Elasticity === 0;
  const denominator = unset ? chain.denominatorCanyon : params.eip1559Denominator;
  const elasticity = unset ? chain.elasticity : params.eip1559Elasticity;
  const words = numberToHex(denominator, { size: 4 }).slice(2) + numberToHex(elasticity, { size: 4 }).slice(2);
  if (!includesFork(fork, 'jovian')) return `0x00${words}`;
  return `0x01${words}${numberToHex(params.minBaseFee, { size: 8 }).slice(2)}`;
};

/** Reads the extraData of a Holocene block or later one; the minimum base fee is zero before Jovian. */
export const decodeExtraData = (extraData: Hex): Eip1559Params => ({
  denominator: Number(hexToBigInt(slice(extraData, 1, 5))),
  elasticity: Number(hexToBigInt(slice(extraData, 5, 9))),
  minBaseFee: size(extraData) >= 17 ? hexToBigInt(slice(extraData, 9, 17)) : 0n,
});

/** Base fee of the block after `parent` at `timestamp`, in wei. Since Jovian the DA footprint (in blobGasUsed) counts as gas used. */
export const nextBaseFee = (config: FeeConfig, parent: Header, timestamp: bigint): bigint => {
  const { denominator, elasticity, minBaseFee } = paramsAfter(config, parent, timestamp);
  const target = parent.gasLimit / BigInt(elasticity);
  const footprint = isForkActive(config.forks, 'jovian', parent.timestamp) ? (parent.blobGasUsed ?? 0n) : 0n;
  const used = parent.gasUsed > footprint ? parent.gasUsed : footprint;
  const fee = moveBaseFee(parent.baseFeePerGas ?? 0n, used, target, BigInt(denominator));
  return fee < minBaseFee ? minBaseFee : fee;
};

const paramsAfter = (config: FeeConfig, parent: Header, timestamp: bigint): Eip1559Params => {
  if (isForkActive(config.forks, 'holocene', parent.timestamp)) return decodeExtraData(parent.extraData);
  const { elasticity, denominator, denominatorCanyon } = config.eip1559;
  const canyon = isForkActive(config.forks, 'canyon', timestamp);
  return { elasticity, denominator: canyon ? denominatorCanyon : denominator, minBaseFee: 0n };
};

/** EIP-1559: towards the target by at most 1/denominator. */
const moveBaseFee = (fee: bigint, used: bigint, target: bigint, denominator: bigint): bigint => {
  if (used === target) return fee;
  if (used > target) {
    const step = (fee * (used - target)) / target / denominator;
    return fee + (step > 1n ? step : 1n);
  }
  return fee - (fee * (target - used)) / target / denominator;
};
