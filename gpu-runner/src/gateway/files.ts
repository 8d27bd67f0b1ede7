import { uploadSigner } from '@openledger/client';
import type { Hex } from 'viem';
import { runnerError } from '../errors.ts';
import { MAX_FILE_BYTES } from '../jobs/formats.ts';
import { type ContentStore, sha256Of } from '../store/contentStore.ts';
import { SignedOnce } from './signedOnce.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Takes a file whose name is its sha256, from whoever signed for exactly these bytes (EIP-712 Upload). Uploading gives no
 * claim; the contribution on chain does. @throws FILE_*, UPLOAD_UNAUTHORIZED
 */
export const acceptUpload = async (
  options: { store: ContentStore; chainId: number; now(): number; usedNonces: SignedOnce },
  sha256: string,
  bytes: Uint8Array,
  headers: Headers,
): Promise<{ sha256: string; size: number }> => {
  if (bytes.length === 0) throw runnerError('FILE_EMPTY', 'the file is empty');
  if (bytes.length > MAX_FILE_BYTES) throw runnerError('FILE_TOO_LARGE', `the file has ${bytes.length} bytes`);
  if (sha256Of(bytes) !== sha256) throw runnerError('FILE_HASH_MISMATCH', 'the bytes do not have this sha256');
  const { nonce, deadline, signature } = parseHeaders(headers);
  const now = BigInt(Math.floor(options.now() / 1000));
  if (!SignedOnce.isTimely(deadline, now)) {
    throw runnerError('UPLOAD_UNAUTHORIZED', 'the signature’s deadline has passed or is too far away');
  }
  const message = { contentHash: `0x${sha256}` as Hex, size: BigInt(bytes.length), nonce, deadline };
  const signer = await uploadSigner(options.chainId, message, signature).catch((cause) => {
    throw runnerError('UPLOAD_UNAUTHORIZED', 'the signature is malformed', {}, cause);
  });
  if (!options.usedNonces.take(signer, nonce, deadline, now)) {
    throw runnerError('UPLOAD_UNAUTHORIZED', 'this signature was used before');
  }
  await options.store.put(bytes);
  return { sha256, size: bytes.length };
};

const parseHeaders = (headers: Headers): { nonce: bigint; deadline: bigint; signature: Hex } => {
  const text = (name: string): string => {
    const value = headers[name];
    if (typeof value !== 'string') throw runnerError('UPLOAD_UNAUTHORIZED', `the header ${name} is missing`);
    return value;
  };
  const [nonce, deadline, signature] = [text('x-upload-nonce'), text('x-upload-deadline'), text('x-upload-signature')];
  if (!/^\d{1,78}$/.test(nonce) || !/^\d{1,20}$/.test(deadline) || !/^0x[0-9a-f]{130}$/i.test(signature)) {
    throw runnerError('UPLOAD_UNAUTHORIZED', 'an upload header is malformed');
  }
  return { nonce: BigInt(nonce), deadline: BigInt(deadline), signature: signature as Hex };
};
