import type { Common } from '@ethereumjs/common';
import type { BlockId } from '@openledger/chain-config';
import { Packr } from 'msgpackr';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { Block } from '../primitives/block.ts';
import { decodeHeader, encodeHeader } from '../primitives/header.ts';
import type { L1FeeInfo, Receipt } from '../primitives/receipt.ts';
import { decodeTransaction } from '../primitives/transaction.ts';

export type HeadIds = { readonly unsafe: BlockId; readonly safe: BlockId; readonly finalized: BlockId };

/** Positional msgpack, as in the event log: version first, nothing outside the value is needed to read it. */
const packr = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint' });
const VERSION = 1;

const int = (value: bigint): Uint8Array => hexToBytes(`0x${value.toString(16)}`);
const fromInt = (bytes: unknown): bigint => BigInt(bytesToHex(bytes as Uint8Array));
const fromBytes = (bytes: unknown): Hex => bytesToHex(bytes as Uint8Array);

const encodeFees = (fees: L1FeeInfo | null): unknown[] | null =>
  fees && [
    int(fees.l1Fee),
    int(fees.l1GasUsed),
    int(fees.l1GasPrice),
    int(fees.l1BlobBaseFee),
    fees.l1BaseFeeScalar,
    fees.l1BlobBaseFeeScalar,
    int(fees.operatorFee),
    fees.operatorFeeScalar,
    int(fees.operatorFeeConstant),
    fees.daFootprintGasScalar,
    int(fees.daFootprint),
  ];

const decodeFees = (wire: unknown[] | null): L1FeeInfo | null =>
  wire && {
    l1Fee: fromInt(wire[0]),
    l1GasUsed: fromInt(wire[1]),
    l1GasPrice: fromInt(wire[2]),
    l1BlobBaseFee: fromInt(wire[3]),
    l1BaseFeeScalar: wire[4] as number,
    l1BlobBaseFeeScalar: wire[5] as number,
    operatorFee: fromInt(wire[6]),
    operatorFeeScalar: wire[7] as number,
    operatorFeeConstant: fromInt(wire[8]),
    daFootprintGasScalar: wire[9] as number,
    daFootprint: fromInt(wire[10]),
  };

const encodeStoredReceipt = (receipt: Receipt): unknown[] => [
  receipt.type,
  receipt.success,
  int(receipt.gasUsed),
  int(receipt.cumulativeGasUsed),
  int(receipt.effectiveGasPrice),
  hexToBytes(receipt.logsBloom),
  receipt.logs.map((log) => [hexToBytes(log.address), log.topics.map((t) => hexToBytes(t)), hexToBytes(log.data)]),
  receipt.contractAddress && hexToBytes(receipt.contractAddress),
  receipt.depositNonce === null ? null : int(receipt.depositNonce),
  encodeFees(receipt.fees),
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
  depositNonce: wire[8] === null ? null : fromInt(wire[8]),
  fees: decodeFees(wire[9] as unknown[] | null),
});

export const encodeBlock = (block: Block): Uint8Array =>
  packr.pack([
    VERSION,
    hexToBytes(encodeHeader(block.header)),
    block.transactions.map((tx) => hexToBytes(tx.raw)),
    block.receipts.map(encodeStoredReceipt),
    int(block.l1Origin.number),
    hexToBytes(block.l1Origin.hash),
    int(block.sequenceNumber),
  ]);

/** @throws STORE_CORRUPT */
export const decodeBlock = (bytes: Uint8Array, hash: Hex, common: Common): Block => {
  const wire = packr.unpack(bytes) as unknown[];
  if (wire[0] !== VERSION) throw nodeError('STORE_CORRUPT', `block of unknown version ${String(wire[0])}`, { hash });
  return {
    hash,
    header: decodeHeader(fromBytes(wire[1])),
    transactions: (wire[2] as Uint8Array[]).map((raw) => decodeTransaction(bytesToHex(raw), common)),
    receipts: (wire[3] as unknown[][]).map(decodeStoredReceipt),
    l1Origin: { number: fromInt(wire[4]), hash: fromBytes(wire[5]) },
    sequenceNumber: fromInt(wire[6]),
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
