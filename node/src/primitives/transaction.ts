import type { Common } from '@ethereumjs/common';
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';
import { DEPOSIT_TYPE, type DepositTransaction, decodeDeposit, hashDeposit } from './depositTransaction.ts';

/** A transaction as the node carries it: raw bytes, identity, sender, and the decoded form. */
export type L2Transaction =
  | {
      readonly kind: 'deposit';
      readonly raw: Hex;
      readonly hash: Hex;
      readonly from: Address;
      readonly deposit: DepositTransaction;
    }
  | {
      readonly kind: 'signed';
      readonly raw: Hex;
      readonly hash: Hex;
      readonly from: Address;
      readonly tx: TypedTransaction;
    };

export type SignedL2Transaction = Extract<L2Transaction, { kind: 'signed' }>;

const BLOB_TYPE = 3;

/**
 * Decodes and recovers the sender. Blob transactions don't exist on L2 (specs/protocol/ecotone).
 * @throws TX_MALFORMED, TX_TYPE_UNSUPPORTED
 */
export const decodeTransaction = (raw: Hex, common: Common): L2Transaction => {
  const type = Number.parseInt(raw.slice(2, 4), 16);
  if (type === DEPOSIT_TYPE) {
    const deposit = decodeDeposit(raw);
    return { kind: 'deposit', raw, hash: hashDeposit(deposit), from: deposit.from, deposit };
  }
  if (type === BLOB_TYPE) {
    throw nodeError('TX_TYPE_UNSUPPORTED', 'transaction type not supported', { type });
  }
  try {
    const tx = createTxFromRLP(hexToBytes(raw), { common, freeze: false });
    const from = tx.getSenderAddress().toString() as Address;
    return { kind: 'signed', raw, hash: bytesToHex(tx.hash()), from, tx };
  } catch (cause) {
    throw nodeError('TX_MALFORMED', 'transaction does not decode or its signature is invalid', {}, cause);
  }
};

export const transactionType = (tx: L2Transaction): number => (tx.kind === 'deposit' ? DEPOSIT_TYPE : tx.tx.type);
