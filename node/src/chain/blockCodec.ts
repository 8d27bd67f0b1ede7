import type { BlockId } from '@openledger/chain-config';
import { Packr } from 'msgpackr';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { ChainRules } from '../execution/chainRules.ts';
import type { Block } from '../primitives/block.ts';
import { decodeHeader, encodeHeader } from '../primitives/header.ts';
import { fromHex } from '../primitives/hex.ts';
import type { L1FeeInfo, Receipt } from '../primitives/receipt.ts';

export type HeadIds = { readonly unsafe: BlockId; readonly safe: BlockId; readonly finalized: BlockId };

/** Positional msgpack, as in the event log: version first, nothing outside the value is needed to read it. */
const packr = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint' });
const VERSION = 2;

const int = (value: bigint): Uint8Array => hexToBytes(`0x${value.toString(16)}`);
const fromInt = (bytes: unknown): bigint => BigInt(bytesToHex(bytes as Uint8Array));
const fromBytes = (bytes: unknown): Hex => bytesToHex(bytes as Uint8Array);

const optional = <T, U>(value: T | null | undefined, map: (value: T) => U): U | null =>
  value === null || value === undefined ? null : map(value);

const encodeFees = (fees: L1FeeInfo): unknown[] => [
  int(fees.l1Fee),
  int(fees.l1GasUsed),
  int(fees.l1GasPrice),
  optional(fees.l1FeeScalar, int),
  optional(fees.l1BlobBaseFee, int),
  fees.l1BaseFeeScalar,
  fees.l1BlobBaseFeeScalar,
  int(fees.operatorFee),
  fees.operatorFeeScalar,
  optional(fees.operatorFeeConstant, int),
  fees.daFootprintGasScalar,
  int(fees.daFootprint),
];

const decodeFees = (wire: unknown[]): L1FeeInfo => ({
  l1Fee: fromInt(wire[0]),
  l1GasUsed: fromInt(wire[1]),
  l1GasPrice: fromInt(wire[2]),
  l1FeeScalar: optional(wire[3], fromInt),
  l1BlobBaseFee: optional(wire[4], fromInt),
  l1BaseFeeScalar: wire[5] as number | null,
  l1BlobBaseFeeScalar: wire[6] as number | null,
  operatorFee: fromInt(wire[7]),
  operatorFeeScalar: wire[8] as number | null,
  operatorFeeConstant: optional(wire[9], fromInt),
  daFootprintGasScalar: wire[10] as number | null,
  daFootprint: fromInt(wire[11]),
});

const encodeStoredReceipt = (receipt: Receipt): unknown[] => [
  receipt.type,
  receipt.success,
  int(receipt.gasUsed),
  int(receipt.cumulativeGasUsed),
  int(receipt.effectiveGasPrice),
  hexToBytes(receipt.logsBloom),
  receipt.logs.map((log) => [hexToBytes(log.address), log.topics.map((t) => hexToBytes(t)), hexToBytes(log.data)]),
  receipt.contractAddress && hexToBytes(receipt.contractAddress),
  optional(receipt.depositNonce, int),
  receipt.depositReceiptVersion,
  optional(receipt.fees, encodeFees),
  optional(receipt.postState, hexToBytes),
];

const decodeStoredReceipt = (wire: unknown[]): Receipt => ({
  type: wire[0] as number,
  success: wire[1] as boolean,
  gasUsed: fromInt(wire[2]),
  cumulativeGasUsed: fromInt(wire[3]),
  effectiveGasPrice: fromInt(wire[4]),
  logsBloom: fromBytes(wire[5]),
  logs: (wire[6] as [Uint8Array, Uint8Array[], Uint8Array][]).map(([address, topics, data]) => ({
    address: bytesToHex(address),
    topics: topics.map((topic) => bytesToHex(topic)),
    data: bytesToHex(data),
  })),
  contractAddress: wire[7] ? (fromBytes(wire[7]) as Address) : null,
  depositNonce: optional(wire[8], fromInt),
  depositReceiptVersion: wire[9] as 1 | null,
  fees: optional(wire[10] as unknown[] | null, decodeFees),
  ...(wire[11] ? { postState: fromBytes(wire[11]) } : {}),
});

export const encodeBlock = (block: Block): Uint8Array =>
  packr.pack([
    VERSION,
    hexToBytes(encodeHeader(block.header)),
    block.transactions.map((tx) => fromHex(tx.raw)),
    block.receipts.map(encodeStoredReceipt),
    int(block.l1Origin.number),
    hexToBytes(block.l1Origin.hash),
    int(block.sequenceNumber),
    block.withdrawals.map((w) => [int(w.index), int(w.validatorIndex), hexToBytes(w.address), int(w.amount)]),
    block.uncles.map((uncle) => hexToBytes(encodeHeader(uncle))),
  ]);

/** @throws STORE_CORRUPT */
export const decodeBlock = (bytes: Uint8Array, hash: Hex, rules: ChainRules): Block => {
  const wire = packr.unpack(bytes) as unknown[];
  if (wire[0] !== VERSION) throw nodeError('STORE_CORRUPT', `block of unknown version ${String(wire[0])}`, { hash });
  const header = decodeHeader(fromBytes(wire[1]));
  return {
    hash,
    header,
    transactions: (wire[2] as Uint8Array[]).map((raw) => rules.decodeTransaction(bytesToHex(raw), header)),
    receipts: (wire[3] as unknown[][]).map(decodeStoredReceipt),
    l1Origin: { number: fromInt(wire[4]), hash: fromBytes(wire[5]) },
    sequenceNumber: fromInt(wire[6]),
    withdrawals: (wire[7] as [Uint8Array, Uint8Array, Uint8Array, Uint8Array][]).map((fields) => ({
      index: fromInt(fields[0]),
      validatorIndex: fromInt(fields[1]),
      address: bytesToHex(fields[2]),
      amount: fromInt(fields[3]),
    })),
    uncles: (wire[8] as Uint8Array[]).map((uncle) => decodeHeader(bytesToHex(uncle))),
  };
};

export const encodeHeads = (heads: HeadIds): Uint8Array =>
  packr.pack([heads.unsafe, heads.safe, heads.finalized].map((head) => [int(head.number), hexToBytes(head.hash)]));

export const decodeHeads = (bytes: Uint8Array): HeadIds => {
  const [unsafe, safe, finalized] = (packr.unpack(bytes) as [Uint8Array, Uint8Array][]).map(
    ([number, hash]): BlockId => ({ number: fromInt(number), hash: bytesToHex(hash) }),
  );
  if (!unsafe || !safe || !finalized) throw nodeError('STORE_CORRUPT', 'heads are incomplete');
  return { unsafe, safe, finalized };
};
