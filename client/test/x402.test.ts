import { zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import {
  decodePayment,
  encodeHeader,
  encodePayment,
  NATIVE_ASSET,
  networkOf,
  type Payment,
  paymentPayload,
  paymentSchemes,
} from '../src/index.ts';

const network = networkOf(16120);
const signature = `0x${'ab'.repeat(65)}` as const;
const channel: Payment = {
  scheme: paymentSchemes.channel,
  network,
  voucher: { channelId: 7n, cumulativeAmount: 10n ** 30n + 1n, signature },
};
const escrow: Payment = { scheme: paymentSchemes.escrow, network, jobId: 3n, signature };
const requirements = (payment: Payment) => ({
  scheme: payment.scheme,
  network,
  amount: '5',
  asset: NATIVE_ASSET,
  payTo: NATIVE_ASSET,
  maxTimeoutSeconds: 60,
});

describe('payments', () => {
  it.each([channel, escrow])('travel in both versions of x402', (payment) => {
    const version2 = encodePayment(payment, requirements(payment));
    const version1 = encodePayment(payment);
    expect(version2).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect([decodePayment(version1), decodePayment(version2)]).toEqual([payment, payment]);
  });

  const good = paymentPayload(channel);
  const with1 = (changes: object) => ({ x402Version: 1, scheme: channel.scheme, network, payload: good, ...changes });
  it.each([
    ['nothing', ''],
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('{"channelId"').toString('base64')],
    ['null', encodeHeader(null)],
    ['a number', encodeHeader(5)],
    ['a list', encodeHeader([with1({})])],
    ['another version', encodeHeader(with1({ x402Version: 3 }))],
    ['no version', encodeHeader(with1({ x402Version: undefined }))],
    ['version 2 without what was accepted', encodeHeader(with1({ x402Version: 2 }))],
    ['another scheme', encodeHeader(with1({ scheme: 'exact' }))],
    ['no network', encodeHeader(with1({ network: 7 }))],
    ['no payload', encodeHeader(with1({ payload: undefined }))],
    ['no channel', encodeHeader(with1({ payload: { ...good, channelId: undefined } }))],
    ['a channel that is a number', encodeHeader(with1({ payload: { ...good, channelId: 7 } }))],
    ['a negative amount', encodeHeader(with1({ payload: { ...good, cumulativeAmount: '-1' } }))],
    ['an amount in hex', encodeHeader(with1({ payload: { ...good, cumulativeAmount: '0x10' } }))],
    ['an amount of too many digits', encodeHeader(with1({ payload: { ...good, cumulativeAmount: '9'.repeat(79) } }))],
    ['no signature', encodeHeader(with1({ payload: { ...good, signature: undefined } }))],
    ['a signature that is no hex', encodeHeader(with1({ payload: { ...good, signature: `0x${'zz'.repeat(65)}` } }))],
    ['a signature that is too short', encodeHeader(with1({ payload: { ...good, signature: zeroHash } }))],
    ['a signature without end', encodeHeader(with1({ payload: { ...good, signature: `0x${'ab'.repeat(1025)}` } }))],
    ['an escrow without its job', encodeHeader(with1({ scheme: paymentSchemes.escrow }))],
  ])('are refused when the header is or has %s', (_name, header) => {
    expect(() => decodePayment(header)).toThrow(TypeError);
  });
});
