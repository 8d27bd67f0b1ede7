import { decodePayment, type Payment } from '@openledger/client';
import { runnerError } from '../errors.ts';

/** Who answers for a call's price. */
export type Credential =
  | { readonly kind: 'payment'; readonly payment: Payment | undefined }
  | { readonly kind: 'apiKey'; readonly key: string };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * A payment (x402: PAYMENT-SIGNATURE, in version 1 X-PAYMENT) comes before an API key, because OpenAI's clients always send some
 * Authorization header. @throws PAYMENT_INVALID, API_KEY_UNKNOWN
 */
export const credentialOf = (headers: Headers): Credential => {
  const header = headers['payment-signature'] ?? headers['x-payment'];
  if (typeof header === 'string') return { kind: 'payment', payment: parse(header) };
  const { authorization } = headers;
  if (authorization === undefined) return { kind: 'payment', payment: undefined };
  const [, key] = /^Bearer (\S+)$/i.exec(String(authorization)) ?? [];
  if (key === undefined) throw runnerError('API_KEY_UNKNOWN', 'the Authorization header is not "Bearer KEY"');
  return { kind: 'apiKey', key };
};

const parse = (header: string): Payment => {
  try {
    return decodePayment(header);
  } catch (cause) {
    throw runnerError('PAYMENT_INVALID', `not a payment: ${(cause as Error).message}`, {}, cause);
  }
};
