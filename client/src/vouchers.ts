import { predeploys } from '@openledger/chain-config';
import { voucherTypedData } from '@openledger/contracts';
import { type Account, type Hex, recoverTypedDataAddress } from 'viem';

/** A promise of `cumulativeAmount` wei in all to the runner of a channel. */
export type Voucher = { readonly channelId: bigint; readonly cumulativeAmount: bigint; readonly signature: Hex };

const domain = (chainId: number) => ({ chainId, jobs: predeploys.jobs });

export const signVoucher = async (
  account: Account,
  chainId: number,
  message: { channelId: bigint; cumulativeAmount: bigint },
): Promise<Voucher> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  return { ...message, signature: await account.signTypedData(voucherTypedData(domain(chainId), message)) };
};

export const voucherSigner = (chainId: number, voucher: Voucher) =>
  recoverTypedDataAddress({ ...voucherTypedData(domain(chainId), voucher), signature: voucher.signature });

/** The X-Payment header: base64 of JSON. Amounts are decimal strings. */
export const encodePayment = (voucher: Voucher): string =>
  Buffer.from(
    JSON.stringify({
      channelId: voucher.channelId.toString(),
      cumulativeAmount: voucher.cumulativeAmount.toString(),
      signature: voucher.signature,
    }),
  ).toString('base64');

/** @throws TypeError when the header isn't a voucher */
export const decodePayment = (header: string): Voucher => {
  const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  const { channelId, cumulativeAmount, signature } = (value ?? {}) as Record<string, unknown>;
  const decimal = (field: unknown): field is string => typeof field === 'string' && /^\d{1,78}$/.test(field);
  if (!decimal(channelId) || !decimal(cumulativeAmount)) throw new TypeError('not a voucher');
  if (typeof signature !== 'string' || !/^0x([0-9a-f]{2}){65,1024}$/i.test(signature))
    throw new TypeError('not a signature');
  return { channelId: BigInt(channelId), cumulativeAmount: BigInt(cumulativeAmount), signature: signature as Hex };
};
