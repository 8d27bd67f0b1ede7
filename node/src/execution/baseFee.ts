import { type Hex, hexToBigInt, numberToHex, slice } from 'viem';
import type { Header } from '../primitives/header.ts';

/** EIP-1559 parameters that a block carries in its extraData since Holocene; `minBaseFee` (wei) since Jovian. */
export type Eip1559Params = { readonly denominator: number; readonly elasticity: number; readonly minBaseFee: bigint };

/** jovian/exec-engine.md: version 1, u32 denominator, u32 elasticity, u64 minimum base fee. */
export const encodeExtraData = (params: Eip1559Params): Hex =>
  `0x01${numberToHex(params.denominator, { size: 4 }).slice(2)}${numberToHex(params.elasticity, { size: 4 }).slice(2)}${numberToHex(params.minBaseFee, { size: 8 }).slice(2)}`;

export const decodeExtraData = (extraData: Hex): Eip1559Params => ({
  denominator: Number(hexToBigInt(slice(extraData, 1, 5))),
  elasticity: Number(hexToBigInt(slice(extraData, 5, 9))),
  minBaseFee: hexToBigInt(slice(extraData, 9, 17)),
});

/** Base fee of the block after `parent`, in wei. Since Jovian the DA footprint (in blobGasUsed) counts as gas used. */
export const nextBaseFee = (parent: Header): bigint => {
  const { denominator, elasticity, minBaseFee } = decodeExtraData(parent.extraData);
  const target = parent.gasLimit / BigInt(elasticity);
  const used = parent.gasUsed > parent.blobGasUsed ? parent.gasUsed : parent.blobGasUsed;
  const fee = moveBaseFee(parent.baseFeePerGas, used, target, BigInt(denominator));
  return fee < minBaseFee ? minBaseFee : fee;
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
