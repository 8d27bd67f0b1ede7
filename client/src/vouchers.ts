import { predeploys } from '@openledger/chain-config';
import { voucherTypedData } from '@openledger/contracts';
import { type Account, type Address, type Hex, recoverTypedDataAddress } from 'viem';

/** A promise of `cumulativeAmount` wei in all to the runner of a channel. */
export type Voucher = { readonly channelId: bigint; readonly cumulativeAmount: bigint; readonly signature: Hex };

/** The EIP-712 domain of everything that has to do with Jobs. */
export const jobsDomain = (chainId: number) => ({ chainId, jobs: predeploys.jobs });

export const signVoucher = async (
  account: Account,
  chainId: number,
  message: { channelId: bigint; cumulativeAmount: bigint },
): Promise<Voucher> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  return { ...message, signature: await account.signTypedData(voucherTypedData(jobsDomain(chainId), message)) };
};

/** Half of secp256k1's order: of the two signatures that say the same, contracts take the one with the lower s. */
const MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export const isCanonical = (signature: Hex): boolean =>
  /^0x[0-9a-f]{128}1[bc]$/i.test(signature) && BigInt(`0x${signature.slice(66, 130)}`) <= MAX_S;

/** Who signed. @throws TypeError for a form that Jobs would refuse, although a signer could be recovered from it */
export const voucherSigner = async (chainId: number, voucher: Voucher): Promise<Address> => {
  const { signature } = voucher;
  if (!isCanonical(signature)) throw new TypeError('not a signature that Jobs takes');
  return recoverTypedDataAddress({ ...voucherTypedData(jobsDomain(chainId), voucher), signature });
};
