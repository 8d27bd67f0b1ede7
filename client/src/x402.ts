import type { Address, Hex } from 'viem';
import type { Voucher } from './vouchers.ts';

/** Our schemes of x402: a voucher on a channel, and an escrow for one call. */
export const paymentSchemes = { channel: 'openledger-channel', escrow: 'openledger-escrow' } as const;

/** ERC-7528's address for a chain's own coin, here OPEN. */
export const NATIVE_ASSET: Address = '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE';

export const networkOf = (chainId: number): `eip155:${number}` => `eip155:${chainId}`;

/** One way to pay, as x402 v2 writes it; `amount` is the most that the call can cost, in wei. */
export type PaymentRequirements = {
  readonly scheme: string;
  readonly network: string;
  readonly amount: string;
  readonly asset: string;
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  readonly extra?: Readonly<Record<string, unknown>> | null;
};

type Resource = { readonly url: string; readonly description?: string; readonly mimeType?: string };

export type PaymentRequired = {
  readonly x402Version: 2;
  readonly error?: string;
  readonly resource: Resource;
  readonly accepts: readonly PaymentRequirements[];
};

/** What the runner did with a payment. Nothing moves on chain at once, so `transaction` is empty. */
export type SettleResponse = {
  readonly success: boolean;
  readonly transaction: string;
  readonly network: string;
  readonly payer?: string;
  /** Wei that the call did cost. */
  readonly amount?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
};

export type Payment =
  | { readonly scheme: typeof paymentSchemes.channel; readonly network: string; readonly voucher: Voucher }
  | {
      readonly scheme: typeof paymentSchemes.escrow;
      readonly network: string;
      readonly jobId: bigint;
      readonly signature: Hex;
    };

/** The same requirements in version 1, which stands in the body. */
export const toVersion1 = ({ error, resource, accepts }: PaymentRequired) => ({
  x402Version: 1 as const,
  error: error ?? 'payment required',
  accepts: accepts.map(({ amount, extra, ...rest }) => ({
    ...rest,
    maxAmountRequired: amount,
    resource: resource.url,
    description: resource.description ?? '',
    mimeType: resource.mimeType ?? 'application/json',
    outputSchema: null,
    extra: extra ?? null,
  })),
});

/** What goes into `payload`: amounts are decimal strings. */
export const paymentPayload = (payment: Payment): Record<string, string> =>
  payment.scheme === paymentSchemes.channel
    ? {
        channelId: payment.voucher.channelId.toString(),
        cumulativeAmount: payment.voucher.cumulativeAmount.toString(),
        signature: payment.voucher.signature,
      }
    : { jobId: payment.jobId.toString(), signature: payment.signature };

/** The header with a payment: PAYMENT-SIGNATURE when it says what it `accepted` (version 2), X-PAYMENT without (version 1). */
export const encodePayment = (payment: Payment, accepted?: PaymentRequirements): string => {
  const payload = paymentPayload(payment);
  if (accepted) return encodeHeader({ x402Version: 2, accepted, payload });
  return encodeHeader({ x402Version: 1, scheme: payment.scheme, network: payment.network, payload });
};

/**
 * Reads PAYMENT-SIGNATURE (version 2) and X-PAYMENT (version 1).
 * @throws TypeError when the header is neither, or is not of our schemes
 */
export const decodePayment = (header: string): Payment => {
  const message = decodeHeader(header);
  const { scheme, network } = record(message.x402Version === 2 ? message.accepted : message);
  if (message.x402Version !== 1 && message.x402Version !== 2) throw new TypeError('not x402 version 1 or 2');
  if (typeof network !== 'string') throw new TypeError('no network');
  const payload = record(message.payload);
  const signature = signatureOf(payload.signature);
  if (scheme === paymentSchemes.channel) {
    const voucher = { channelId: decimal(payload.channelId), cumulativeAmount: decimal(payload.cumulativeAmount) };
    return { scheme, network, voucher: { ...voucher, signature } };
  }
  if (scheme === paymentSchemes.escrow) return { scheme, network, jobId: decimal(payload.jobId), signature };
  throw new TypeError('not a scheme of this runner');
};

/** Headers of x402 are base64 of JSON. */
export const encodeHeader = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

/** @throws TypeError */
export const decodeHeader = (header: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch (cause) {
    throw new TypeError('not base64 JSON', { cause });
  }
  return record(value);
};

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not a JSON object');
  return value as Record<string, unknown>;
};

const decimal = (value: unknown): bigint => {
  if (typeof value !== 'string' || !/^\d{1,78}$/.test(value)) throw new TypeError('not a decimal number');
  return BigInt(value);
};

const signatureOf = (value: unknown): Hex => {
  if (typeof value !== 'string' || !/^0x([0-9a-f]{2}){65,1024}$/i.test(value)) throw new TypeError('not a signature');
  return value as Hex;
};
