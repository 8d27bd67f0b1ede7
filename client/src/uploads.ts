import { createHash, randomBytes } from 'node:crypto';
import { type UploadMessage, uploadTypedData } from '@openledger/contracts';
import { type Account, type Address, bytesToBigInt, type Hex, recoverTypedDataAddress } from 'viem';

const LIFETIME_SECONDS = 300n;

export type UploadHeaders = {
  readonly 'x-upload-nonce': string;
  readonly 'x-upload-deadline': string;
  readonly 'x-upload-signature': string;
};

export const sha256Hex = (bytes: Uint8Array): Hex => `0x${createHash('sha256').update(bytes).digest('hex')}`;

/** Signs an upload of these bytes for the next five minutes. */
export const signUpload = async (account: Account, chainId: number, bytes: Uint8Array): Promise<UploadHeaders> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  const message: UploadMessage = {
    contentHash: sha256Hex(bytes),
    size: BigInt(bytes.length),
    nonce: bytesToBigInt(randomBytes(32)),
    deadline: BigInt(Math.floor(Date.now() / 1000)) + LIFETIME_SECONDS,
  };
  return {
    'x-upload-nonce': message.nonce.toString(),
    'x-upload-deadline': message.deadline.toString(),
    'x-upload-signature': await account.signTypedData(uploadTypedData({ chainId }, message)),
  };
};

export const uploadSigner = (chainId: number, message: UploadMessage, signature: Hex): Promise<Address> =>
  recoverTypedDataAddress({ ...uploadTypedData({ chainId }, message), signature });

export type UploadAnswer = { readonly sha256: string; readonly size: number };

/** PUTs a file to a runner's content store. @throws Error with the store's reason */
export const uploadFile = async (options: {
  url: string;
  account: Account;
  chainId: number;
  bytes: Uint8Array;
}): Promise<UploadAnswer> => {
  const headers = await signUpload(options.account, options.chainId, options.bytes);
  const target = new URL(`/v1/files/${sha256Hex(options.bytes).slice(2)}`, options.url);
  const response = await fetch(target, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: Buffer.from(options.bytes),
  });
  if (response.ok) return (await response.json()) as UploadAnswer;
  // What stands between us and the store may answer with anything.
  const { error } = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
  throw new Error(error?.message ?? `upload refused with status ${response.status}`, { cause: error });
};
