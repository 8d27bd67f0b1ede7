import { type Address, concatHex, type Hex, hexToBigInt, isAddress, keccak256, numberToHex, toRlp } from 'viem';
import { nodeError } from '../errors.ts';
import { decodeRlp } from './decodeRlp.ts';

export const DEPOSIT_TYPE = 0x7e;

/** EIP-2718 type 0x7e (specs/protocol/deposits.md): no signature, its sender is stated by L1. Amounts in wei of OPEN. */
export type DepositTransaction = {
  readonly sourceHash: Hex;
  readonly from: Address;
  readonly to: Address | null;
  readonly mint: bigint;
  readonly value: bigint;
  readonly gas: bigint;
  readonly isSystemTransaction: boolean;
  readonly data: Hex;
};

const rlpInteger = (value: bigint): Hex => (value === 0n ? '0x' : numberToHex(value));

export const encodeDeposit = (tx: DepositTransaction): Hex =>
  concatHex([
    '0x7e',
    toRlp([
      tx.sourceHash,
      tx.from,
      tx.to ?? '0x',
      rlpInteger(tx.mint),
      rlpInteger(tx.value),
      rlpInteger(tx.gas),
      tx.isSystemTransaction ? '0x01' : '0x',
      tx.data,
    ]),
  ]);

export const hashDeposit = (tx: DepositTransaction): Hex => keccak256(encodeDeposit(tx));

/** @throws TX_MALFORMED */
export const decodeDeposit = (raw: Hex): DepositTransaction => {
  const fail = (reason: string, cause?: unknown): never => {
    throw nodeError('TX_MALFORMED', `deposit transaction: ${reason}`, {}, cause);
  };
  let fields: Hex[];
  try {
    fields = decodeRlp(`0x${raw.slice(4)}`) as Hex[];
  } catch (cause) {
    return fail('not RLP', cause);
  }
  if (!Array.isArray(fields) || fields.length !== 8) return fail('wrong number of fields');
  const [sourceHash, from, to, mint, value, gas, isSystem, data] = fields as [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];
  if (sourceHash.length !== 66) return fail('source hash is not 32 bytes');
  if (!isAddress(from, { strict: false })) return fail('sender is not an address');
  if (to !== '0x' && !isAddress(to, { strict: false })) return fail('recipient is not an address');
  const integer = (field: Hex): bigint => (field === '0x' ? 0n : hexToBigInt(field));
  return {
    sourceHash,
    from,
    to: to === '0x' ? null : to,
    mint: integer(mint),
    value: integer(value),
    gas: integer(gas),
    isSystemTransaction: isSystem === '0x01',
    data,
  };
};

/** keccak256(domain ++ keccak256(a ++ b)): unique per deposit and L1 block (deposits.md, source hash computation). */
const sourceHash = (domain: 0 | 1, a: Hex, b: bigint): Hex =>
  keccak256(concatHex([numberToHex(domain, { size: 32 }), keccak256(concatHex([a, numberToHex(b, { size: 32 })]))]));

export const userDepositSourceHash = (l1BlockHash: Hex, l1LogIndex: bigint): Hex =>
  sourceHash(0, l1BlockHash, l1LogIndex);
export const l1AttributesSourceHash = (l1BlockHash: Hex, sequenceNumber: bigint): Hex =>
  sourceHash(1, l1BlockHash, sequenceNumber);
