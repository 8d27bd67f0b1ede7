import type { Common } from '@ethereumjs/common';
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx';
import { describeError } from '@openledger/kit';
import { type Address, bytesToHex, type Hex } from 'viem';
import { type NodeErrorCode, nodeError } from '../errors.ts';
import { DEPOSIT_TYPE, type DepositTransaction, decodeDeposit, hashDeposit } from './depositTransaction.ts';
import { fromHex } from './hex.ts';

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

/** Access list, EIP-1559, set code; a legacy transaction starts with its RLP list. Blobs don't exist on L2. */
const L2_TYPES: readonly number[] = [1, 2, 4];
const FIRST_RLP_LIST = 0xc0;

/** What EthereumJS refuses while decoding although the bytes are a transaction. */
const refusals: readonly (readonly [RegExp, NodeErrorCode, string])[] = [
  [/chain ID/i, 'TX_WRONG_CHAIN', 'invalid chain id for signer'],
  [/EIP-7825/, 'TX_GAS_TOO_HIGH', 'transaction gas limit too high'],
  [/maxFeePerGas cannot be less/, 'TX_INVALID', 'max priority fee per gas higher than max fee per gas'],
];

/**
 * Decodes and recovers the sender; `types` are the envelopes that the block's fork knows beside legacy and deposit.
 * @throws TX_MALFORMED, TX_TYPE_UNSUPPORTED, TX_WRONG_CHAIN, TX_GAS_TOO_HIGH, TX_INVALID
 */
export const decodeTransaction = (raw: Hex, common: Common, types = L2_TYPES): L2Transaction => {
  const type = Number.parseInt(raw.slice(2, 4), 16);
  if (type === DEPOSIT_TYPE) {
    const deposit = decodeDeposit(raw);
    return { kind: 'deposit', raw, hash: hashDeposit(deposit), from: deposit.from, deposit };
  }
  if (type < FIRST_RLP_LIST && !types.includes(type)) {
    throw nodeError('TX_TYPE_UNSUPPORTED', 'transaction type not supported', { type });
  }
  try {
    const tx = createTxFromRLP(fromHex(raw), { common, freeze: false });
    // EthereumJS keeps it for frozen transactions only, and recovers it again when it executes others.
    tx.cache.senderPubKey = tx.getSenderPublicKey();
    const from = tx.getSenderAddress().toString() as Address;
    return { kind: 'signed', raw, hash: bytesToHex(tx.hash()), from, tx };
  } catch (cause) {
    const text = describeError(cause);
    for (const [pattern, code, message] of refusals) if (pattern.test(text)) throw nodeError(code, message, {}, cause);
    throw nodeError('TX_MALFORMED', 'transaction does not decode or its signature is invalid', {}, cause);
  }
};

export const transactionType = (tx: L2Transaction): number => (tx.kind === 'deposit' ? DEPOSIT_TYPE : tx.tx.type);
