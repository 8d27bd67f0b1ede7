import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import type { Withdrawal } from './block.ts';
import { type Header, headerFromFields } from './header.ts';

type Nested = Uint8Array | Nested[];

/** What a block's RLP holds. Transactions are raw: nothing in them is checked yet. */
export type RawBlock = {
  readonly header: Header;
  readonly transactions: readonly Hex[];
  readonly uncles: readonly Header[];
  readonly withdrawals: readonly Withdrawal[];
};

/** Reads the first block of `bytes`, and gives back what follows it. @throws BLOCK_INVALID */
export const readBlock = (bytes: Uint8Array): { block: RawBlock; rest: Uint8Array } => {
  let decoded: { data: Nested[]; remainder: Uint8Array };
  try {
    decoded = RLP.decode(bytes, true) as typeof decoded;
  } catch (cause) {
    throw nodeError('BLOCK_INVALID', 'the block is not RLP', {}, cause);
  }
  const [header, transactions, uncles, withdrawals = []] = decoded.data;
  if (!isList(header) || !isList(transactions) || !isList(uncles) || !isList(withdrawals)) {
    throw nodeError('BLOCK_INVALID', 'a block is header, transactions, uncles and withdrawals');
  }
  const block: RawBlock = {
    header: headerFromFields(header.map(hexOf)),
    transactions: transactions.map((tx) => bytesToHex(isList(tx) ? RLP.encode(tx as never) : (tx as Uint8Array))),
    uncles: uncles.map((fields) => headerFromFields((fields as Nested[]).map(hexOf))),
    withdrawals: withdrawals.map((fields) => {
      const [index, validatorIndex, address, amount] = fields as Nested[];
      return {
        index: integer(index),
        validatorIndex: integer(validatorIndex),
        address: hexOf(address),
        amount: integer(amount),
      };
    }),
  };
  return { block, rest: decoded.remainder };
};

/** One whole block and nothing behind it. @throws BLOCK_INVALID */
export const decodeBlock = (raw: Hex): RawBlock => {
  const { block, rest } = readBlock(hexToBytes(raw));
  if (rest.length > 0) throw nodeError('BLOCK_INVALID', 'bytes behind the block');
  return block;
};

const isList = (value: Nested | undefined): value is Nested[] => Array.isArray(value);
const hexOf = (value: Nested | undefined): Hex => bytesToHex(value as Uint8Array);
const integer = (value: Nested | undefined): bigint => BigInt((value as Uint8Array).length === 0 ? 0 : hexOf(value));
