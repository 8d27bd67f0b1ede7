import { type Address, concatHex, type Hex, hexToBytes, numberToHex, toRlp } from 'viem';
import { keccak256Bytes } from './crypto.ts';
import { DEPOSIT_TYPE } from './depositTransaction.ts';

export type Log = { readonly address: Address; readonly topics: readonly Hex[]; readonly data: Hex };

/** What an L2 transaction paid beside execution gas, with the L1 values it was computed from (all of this block). */
export type L1FeeInfo = {
  readonly l1Fee: bigint;
  readonly l1GasUsed: bigint;
  readonly l1GasPrice: bigint;
  readonly l1BlobBaseFee: bigint;
  readonly l1BaseFeeScalar: number;
  readonly l1BlobBaseFeeScalar: number;
  readonly operatorFee: bigint;
  readonly operatorFeeScalar: number;
  readonly operatorFeeConstant: bigint;
  readonly daFootprintGasScalar: number;
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
  /** Deposits: the sender's nonce before the transaction, and version 1 since Canyon. */
  readonly depositNonce: bigint | null;
  readonly fees: L1FeeInfo | null;
};

const integer = (value: bigint): Hex => (value === 0n ? '0x' : numberToHex(value));

/** The consensus encoding that the receipts trie holds (specs/protocol/deposits.md, deposit receipt). */
export const encodeReceipt = (receipt: Receipt): Hex => {
  const fields = [
    receipt.success ? '0x01' : '0x',
    integer(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map((log) => [log.address, [...log.topics], log.data]),
    ...(receipt.type === DEPOSIT_TYPE && receipt.depositNonce !== null ? [integer(receipt.depositNonce), '0x01'] : []),
  ] as Parameters<typeof toRlp>[0];
  const payload = toRlp(fields) as Hex;
  return receipt.type === 0 ? payload : concatHex([numberToHex(receipt.type, { size: 1 }), payload]);
};

/** 2048-bit bloom over addresses and topics (Yellow Paper 4.3.1). */
export const logsBloomOf = (logs: readonly Log[]): Uint8Array => {
  const bloom = new Uint8Array(256);
  const add = (value: Hex) => {
    const hash = keccak256Bytes(hexToBytes(value));
    for (let i = 0; i < 6; i += 2) {
      const bit = (((hash[i] ?? 0) << 8) | (hash[i + 1] ?? 0)) & 2047;
      const index = 255 - (bit >> 3);
      bloom[index] = (bloom[index] ?? 0) | (1 << (bit & 7));
    }
  };
  for (const log of logs) {
    add(log.address);
    for (const topic of log.topics) add(topic);
  }
  return bloom;
};

export const orBloom = (into: Uint8Array, other: Uint8Array): void => {
  for (let i = 0; i < 256; i++) into[i] = (into[i] ?? 0) | (other[i] ?? 0);
};
