import { predeploys } from '@openledger/chain-config';
import { voucherTypedData } from '@openledger/contracts';
import { type Account, type Address, type Hex, recoverTypedDataAddress } from 'viem';

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

/** Half of secp256k1's order: of the two signatures that say the same, contracts take the one with the lower s. */
const MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const isCanonical = (signature: Hex): boolean =>
  /^0x[0-9a-f]{128}1[bc]$/i.test(signature) && BigInt(`0x${signature.slice(66, 130)}`) <= MAX_S;

/** Who signed. @throws TypeError for a form that Jobs would refuse, although a signer could be recovered from it */
export const voucherSigner = async (chainId: number, voucher: Voucher): Promise<Address> => {
  const { signature } = voucher;
  if (!isCanonical(signature)) throw new TypeError('not a signature that Jobs takes');
  return recoverTypedDataAddress({ ...voucherTypedData(domain(chainId), voucher), signature });
};

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
  const { channelId, cumulativeAmount, signature } = parseHeader(header);
  const decimal = (field: unknown): field is string => typeof field === 'string' && /^\d{1,78}$/.test(field);
  if (!decimal(channelId) || !decimal(cumulativeAmount)) throw new TypeError('not a voucher');
  if (typeof signature !== 'string' || !/^0x([0-9a-f]{2}){65,1024}$/i.test(signature))
    throw new TypeError('not a signature');
  return { channelId: BigInt(channelId), cumulativeAmount: BigInt(cumulativeAmount), signature: signature as Hex };
};

const parseHeader = (header: string): Record<string, unknown> => {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) ?? {};
  } catch (cause) {
    throw new TypeError('not base64 JSON', { cause });
  }
};
