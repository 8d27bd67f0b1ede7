import { type Address, keccak256, numberToHex } from 'viem';

/** An epoch: what the issue asks for, or a smaller one with OPENLEDGER_BENCH_ROWS. */
export const ROWS = Number(process.env.OPENLEDGER_BENCH_ROWS ?? 10_000_000);
export const ACCOUNTS = 100_000;
export const ROWS_PER_OUTPUT = 16;
export const OUTPUTS_PER_BATCH = 1_024;
export const platform: Address = '0x00000000000000000000000000000000000000ff';

/** A step of xorshift32: the same workload on every machine. */
export const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

/** Scattered over the address space, as real ones are, and no two alike. */
export const accountOf = (index: number): Address => `0x${keccak256(numberToHex(index + 1_000)).slice(26)}`;
