import { devnet } from '@openledger/chain-config';
import { type Address, type Hex, keccak256, toBytes } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';

/** An account that is made of a word, the same in every run. */
export const wallet = (name: string): PrivateKeyAccount => privateKeyToAccount(keccak256(toBytes(name)));

export const ana = wallet('ana');
export const bo = wallet('bo');
export const chi = wallet('chi');
export const governance = wallet('governance');

export const lower = (address: Address): Address => address.toLowerCase() as Address;
export const GWEI = 10n ** 9n;
export const OPEN = 10n ** 18n;

export type TransactionFields = {
  nonce: number;
  to?: Address | null;
  value?: bigint;
  data?: Hex;
  gas?: bigint;
  /** Caps per gas, wei. */
  fee?: bigint;
  tip?: bigint;
  chainId?: number;
};

/** A signed EIP-1559 transaction; the defaults are those of a plain transfer that is included at once. */
export const signed = (account: PrivateKeyAccount, fields: TransactionFields): Promise<Hex> =>
  account.signTransaction({
    type: 'eip1559',
    chainId: fields.chainId ?? devnet.l2ChainId,
    nonce: fields.nonce,
    value: fields.value ?? 0n,
    gas: fields.gas ?? 21_000n,
    maxFeePerGas: fields.fee ?? 10n * GWEI,
    maxPriorityFeePerGas: fields.tip ?? GWEI,
    data: fields.data ?? '0x',
    ...(fields.to === null ? {} : { to: fields.to ?? bo.address }),
  });
