import type { OpenLedgerClient } from '@openledger/client';
import { keccak256, TransactionReceiptNotFoundError, toHex, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { Transactor } from './transactor.ts';

const hash = keccak256(toHex('transaction'));
const blockHash = keccak256(toHex('block'));

/** A node that has mined `nonce` transactions of the account, and answers this for the one with nonce 7. */
const outcomeAt = (nonce: number, receipt: { blockHash: typeof hash } | undefined) => {
  const node = {
    getTransactionCount: async () => nonce,
    getTransactionReceipt: async () => {
      if (!receipt) throw new TransactionReceiptNotFoundError({ hash });
      return receipt;
    },
  };
  return new Transactor({ public: node, account: { address: '0x' } } as unknown as OpenLedgerClient).outcome({
    hash,
    nonce: 7,
  });
};

describe('the outcome of a transaction', () => {
  it('is its receipt once it is in a block', async () => {
    expect(await outcomeAt(8, { blockHash })).toEqual({ blockHash });
  });

  it('is pending while the sequencer has only promised it: the next call is simulated on blocks', async () => {
    expect(await outcomeAt(7, { blockHash: zeroHash })).toBe('pending');
  });

  it('is pending without a receipt, and replaced when its nonce is used', async () => {
    expect(await outcomeAt(7, undefined)).toBe('pending');
    expect(await outcomeAt(8, undefined)).toBe('replaced');
  });
});
