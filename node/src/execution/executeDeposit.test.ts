import { createAddressFromString } from '@ethereumjs/util';
import { opPredeploys, systemAddresses } from '@openledger/chain-config';
import { type Address, bytesToHex, getContractAddress, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { TestChain } from '../../test/support/testChain.ts';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { bo, lower } from '../../test/support/wallets.ts';

const stranger: Address = `0x${'5a'.repeat(20)}`;
/** Runtime code that returns 42, and the creation code that deploys it. */
const RUNTIME: Hex = '0x602a60005260206000f3';
const CREATION: Hex = `0x600a600c600039600a6000f3${RUNTIME.slice(2)}`;

describe('a deposit', () => {
  it('mints, then transfers its value, and raises the nonce', async () => {
    const chain = await TestChain.start();
    const { receipts } = await chain.deposit({ from: stranger, to: lower(bo.address), mint: 10n, value: 4n });
    expect(receipts).toMatchObject([{ success: true, gasUsed: 21_000n, depositNonce: 0n, fees: null }]);
    expect(await chain.engine.accountAtHead(stranger)).toEqual({ nonce: 1n, balance: 6n });
    expect(await chain.balance(bo.address)).toBe(INITIAL_BALANCE + 4n);
  });

  it('that fails keeps its mint, raises the nonce and transfers nothing', async () => {
    const chain = await TestChain.start();
    const { receipts } = await chain.deposit({
      from: stranger,
      to: opPredeploys.l1Block,
      mint: 9n,
      value: 1n,
      data: '0x01020304',
    });
    expect(receipts).toMatchObject([{ success: false, logs: [] }]);
    expect(await chain.engine.accountAtHead(stranger)).toEqual({ nonce: 1n, balance: 9n });
  });

  it.each([
    ['its value is more than the sender has', { mint: 5n, value: 6n, gas: 50_000n }],
    ['its gas does not cover the start', { mint: 5n, value: 1n, gas: 20_999n }],
    [
      'its gas does not cover the calldata floor',
      { mint: 5n, value: 1n, gas: 22_000n, data: `0x${'11'.repeat(100)}` as const },
    ],
  ])('cannot start when %s: all of its gas counts, the mint stays', async (_why, fields) => {
    const chain = await TestChain.start();
    const { receipts } = await chain.deposit({ from: stranger, to: lower(bo.address), ...fields });
    expect(receipts).toMatchObject([{ success: false, gasUsed: fields.gas }]);
    expect(await chain.engine.accountAtHead(stranger)).toEqual({ nonce: 1n, balance: 5n });
    expect(await chain.balance(bo.address)).toBe(INITIAL_BALANCE);
  });

  it('can create a contract, at the address of the nonce that it had', async () => {
    const chain = await TestChain.start();
    await chain.deposit({ from: stranger, to: lower(bo.address) });
    const { receipts } = await chain.deposit({ from: stranger, to: null, data: CREATION, gas: 200_000n });
    const address = getContractAddress({ from: stranger, nonce: 1n });
    expect(receipts).toMatchObject([{ success: true, contractAddress: lower(address), depositNonce: 1n }]);
    const view = await chain.engine.stateAtHead();
    expect(bytesToHex(await view.manager.getCode(createAddressFromString(address)))).toBe(RUNTIME);
  });

  it('never pays fees', async () => {
    const chain = await TestChain.start();
    await chain.deposit({ from: stranger, to: lower(bo.address), mint: 1n });
    for (const vault of [
      opPredeploys.baseFeeVault,
      opPredeploys.l1FeeVault,
      opPredeploys.operatorFeeVault,
      opPredeploys.sequencerFeeVault,
    ]) {
      expect(await chain.balance(vault)).toBe(0n);
    }
  });

  it('keeps the order that it has on L1', async () => {
    const chain = await TestChain.start();
    const { block } = await chain.deposit(
      { from: stranger, to: lower(bo.address), mint: 3n, value: 3n },
      { from: lower(bo.address), to: stranger, value: 2n },
    );
    expect(block.transactions.map((tx) => tx.from)).toEqual([systemAddresses.depositor, stranger, lower(bo.address)]);
    expect(await chain.balance(stranger)).toBe(2n);
  });
});
