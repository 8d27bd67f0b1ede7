const SCALAR_VERSION_ECOTONE = 1n;
const U32 = 0xffff_ffffn;

/** SystemConfig's scalar word as Ecotone packs it: version 1, blob base fee scalar, base fee scalar (ecotone/l1-attributes.md). */
export const packFeeScalars = (scalars: { baseFeeScalar: number; blobBaseFeeScalar: number }): bigint =>
  (SCALAR_VERSION_ECOTONE << 248n) | (BigInt(scalars.blobBaseFeeScalar) << 32n) | BigInt(scalars.baseFeeScalar);

/** Version 0 has a base fee scalar only; unknown versions read as the whole low words, as op-node does. */
export const feeScalars = (scalar: bigint): { baseFeeScalar: number; blobBaseFeeScalar: number } => ({
  baseFeeScalar: Number(scalar & U32),
  blobBaseFeeScalar: scalar >> 248n === SCALAR_VERSION_ECOTONE ? Number((scalar >> 32n) & U32) : 0,
});
