const MIN_BLOB_BASE_FEE = 1n;
/** EIP-7691 (Prague). Later blob-parameter-only forks change it; chains behind them configure theirs. */
const UPDATE_FRACTION = 5_007_716n;

/** EIP-4844 `fake_exponential(1, excess, fraction)`: the blob base fee in wei. */
export const blobBaseFeeOf = (excessBlobGas: bigint, updateFraction = UPDATE_FRACTION): bigint => {
  let output = 0n;
  let term = MIN_BLOB_BASE_FEE * updateFraction;
  for (let i = 1n; term > 0n; i++) {
    output += term;
    term = (term * excessBlobGas) / (updateFraction * i);
  }
  return output / updateFraction;
};
