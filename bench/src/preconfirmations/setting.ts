/** Accounts that append batches in turns. */
export const RUNNERS = 4;
export const L1_BLOCK_SECONDS = 2;

/** Room for eight transactions of 100 KB in a block of a second: 40 gas a byte of calldata, and their DA footprint. */
export const systemConfig = { gasLimit: 200_000_000n, daFootprintGasScalar: 100 };

/** Milliseconds that take this machine's clock to a chain that begins at `timestamp`. */
export const chainTime = (timestamp: bigint): number => Number(timestamp) * 1000 - Date.now();
