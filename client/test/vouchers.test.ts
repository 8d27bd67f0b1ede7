import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { signVoucher, voucherSigner } from '../src/index.ts';

const CHAIN_ID = 16120;
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const payer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const message = { channelId: 7n, cumulativeAmount: 10n ** 30n + 1n };

describe('vouchers', () => {
  it('name their signer', async () => {
    const voucher = await signVoucher(payer, CHAIN_ID, message);
    expect(voucher).toMatchObject(message);
    expect(await voucherSigner(CHAIN_ID, voucher)).toBe(payer.address);
  });

  it.each([
    ['another amount', { cumulativeAmount: 1n }, CHAIN_ID],
    ['another channel', { channelId: 8n }, CHAIN_ID],
    ['another chain', {}, 1],
  ])('name somebody else for %s', async (_name, changes, chainId) => {
    const voucher = await signVoucher(payer, CHAIN_ID, message);
    expect(await voucherSigner(chainId, { ...voucher, ...changes })).not.toBe(payer.address);
  });

  const flipped = (signature: Hex): Hex => {
    const s = CURVE_ORDER - BigInt(`0x${signature.slice(66, 130)}`);
    return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}` as Hex;
  };

  it.each([
    ['the higher s', flipped],
    [
      'a recovery id of 0 or 1',
      (signature: Hex): Hex => `${signature.slice(0, -2)}0${signature.endsWith('1c') ? 1 : 0}` as Hex,
    ],
    ['two signatures', (signature: Hex): Hex => `${signature}${signature.slice(2)}` as Hex],
    ['half a signature', (signature: Hex): Hex => signature.slice(0, 66) as Hex],
  ])('refuse what a contract would not take: %s', async (_name, change) => {
    const voucher = await signVoucher(payer, CHAIN_ID, message);
    const changed = { ...voucher, signature: change(voucher.signature) };
    await expect(voucherSigner(CHAIN_ID, changed)).rejects.toBeInstanceOf(TypeError);
  });

  it('are not signed by an account that can not sign typed data', async () => {
    const { signTypedData: _none, ...watchOnly } = payer;
    await expect(signVoucher(watchOnly as never, CHAIN_ID, message)).rejects.toThrow('typed data');
  });
});
