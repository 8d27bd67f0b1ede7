import { type Address, concatHex, type Hex, hexToBytes, numberToHex, toRlp } from 'viem';
import { keccak256Bytes } from './crypto.ts';

export type Log = { readonly address: Address; readonly topics: readonly Hex[]; readonly data: Hex };

/**
 * What an L2 transaction paid beside execution gas, with the L1 values it was computed from (all of this block). Null where
 * the block's fork doesn't know the value.
 */
export type L1FeeInfo = {
  readonly l1Fee: bigint;
  readonly l1GasUsed: bigint;
  readonly l1GasPrice: bigint;
  /** Before Ecotone, 6 decimals. */
  readonly l1FeeScalar: bigint | null;
  readonly l1BlobBaseFee: bigint | null;
  readonly l1BaseFeeScalar: number | null;
  readonly l1BlobBaseFeeScalar: number | null;
  readonly operatorFee: bigint;
  readonly operatorFeeScalar: number | null;
  readonly operatorFeeConstant: bigint | null;
  readonly daFootprintGasScalar: number | null;
  /** This transaction's part of the block's DA footprint, in gas. */
  readonly daFootprint: bigint;
};

export type Receipt = {
  readonly type: number;
  readonly success: boolean;
  readonly gasUsed: bigint;
  readonly cumulativeGasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly logsBloom: Hex;
  readonly logs: readonly Log[];
  readonly contractAddress: Address | null;
  /** State root after the transaction; instead of a status before Byzantium. */
  readonly postState?: Hex;
  /** Deposits since Regolith: the sender's nonce before the transaction. */
  readonly depositNonce: bigint | null;
  /** Deposits since Canyon; with it the nonce is part of the receipts root. */
  readonly depositReceiptVersion: 1 | null;
  readonly fees: L1FeeInfo | null;
};

const integer = (value: bigint): Hex => (value === 0n ? '0x' : numberToHex(value));

/** The consensus encoding that the receipts trie holds (specs/protocol/deposits.md, deposit receipt). */
export const encodeReceipt = (receipt: Receipt): Hex => {
  const fields = [
    receipt.postState ?? (receipt.success ? '0x01' : '0x'),
    integer(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map((log) => [log.address, [...log.topics], log.data]),
    ...(receipt.depositReceiptVersion === null ? [] : [integer(receipt.depositNonce ?? 0n), '0x01']),
  ] as Parameters<typeof toRlp>[0];
  const payload = toRlp(fields) as Hex;
  return receipt.type === 0 ? payload : concatHex([numberToHex(receipt.type, { size: 1 }), payload]);
};

/** The three bits of a value in the 2048-bit bloom (Yellow Paper 4.3.1): byte index and mask. */
const bloomBits = (value: Hex): [index: number, mask: number][] => {
  const hash = keccak256Bytes(hexToBytes(value));
  return [0, 2, 4].map((i) => {
    const bit = (((hash[i] ?? 0) << 8) | (hash[i + 1] ?? 0)) & 2047;
    return [255 - (bit >> 3), 1 << (bit & 7)];
  });
};

export const logsBloomOf = (logs: readonly Log[]): Uint8Array => {
  const bloom = new Uint8Array(256);
  for (const log of logs) {
    for (const value of [log.address, ...log.topics]) {
      for (const [index, mask] of bloomBits(value)) bloom[index] = (bloom[index] ?? 0) | mask;
    }
  }
  return bloom;
};

/** False only when no log with this address or topic is in the bloom. */
export const bloomMayHave = (bloom: Uint8Array, value: Hex): boolean =>
  bloomBits(value).every(([index, mask]) => ((bloom[index] ?? 0) & mask) !== 0);

export const orBloom = (into: Uint8Array, other: Uint8Array): void => {
  for (let i = 0; i < 256; i++) into[i] = (into[i] ?? 0) | (other[i] ?? 0);
};
