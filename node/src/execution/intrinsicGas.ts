import type { Common } from '@ethereumjs/common';

const TX = 21_000n;
const CREATE = 32_000n;
const ZERO_BYTE = 4n;
const NONZERO_BYTE = 16n;
const NONZERO_BYTE_FRONTIER = 68n;
const INITCODE_WORD = 2n;
const FLOOR_TOKEN = 10n;
const ACCESS_ADDRESS = 2_400n;
const ACCESS_SLOT = 1_900n;

const countZeros = (data: Uint8Array): bigint => {
  let zeros = 0;
  for (const byte of data) if (byte === 0) zeros++;
  return BigInt(zeros);
};

/** Gas before the first opcode: base, calldata (EIP-2028), creation and its init code (EIP-3860). No access lists. */
export const intrinsicGasOf = (data: Uint8Array, isCreation: boolean, common: Common): bigint => {
  const zeros = countZeros(data);
  const perByte = common.gteHardfork('istanbul') ? NONZERO_BYTE : NONZERO_BYTE_FRONTIER;
  const calldata = zeros * ZERO_BYTE + (BigInt(data.length) - zeros) * perByte;
  const initcode = common.isActivatedEIP(3860) ? INITCODE_WORD * ((BigInt(data.length) + 31n) / 32n) : 0n;
  const creation = isCreation ? (common.gteHardfork('homestead') ? CREATE : 0n) + initcode : 0n;
  return TX + calldata + creation;
};

/** EIP-2930: what naming addresses and slots in advance costs. */
export const accessListGasOf = (list: readonly { readonly storageKeys: readonly unknown[] }[]): bigint =>
  list.reduce((gas, { storageKeys }) => gas + ACCESS_ADDRESS + ACCESS_SLOT * BigInt(storageKeys.length), 0n);

/** EIP-7623: 10 gas per token, a non-zero byte is four tokens. */
export const getCalldataFloorGasFor = (data: Uint8Array): bigint => {
  const zeros = countZeros(data);
  return TX + FLOOR_TOKEN * (zeros + (BigInt(data.length) - zeros) * 4n);
};

/** EIP-3529: at most a fifth of the gas used comes back. */
const MAX_REFUND_QUOTIENT = 5n;

/** What a transaction is charged for: the gas spent less its capped refund, never below the calldata floor. */
export const chargedGas = (spent: bigint, refund: bigint, floor: bigint): bigint => {
  const cap = spent / MAX_REFUND_QUOTIENT;
  const afterRefund = spent - (refund < cap ? refund : cap);
  return afterRefund > floor ? afterRefund : floor;
};
