import { createDecipheriv, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { OpenLedgerError } from '@openledger/kit';
import { scrypt } from 'hash-wasm';
import { bytesToHex, type Hex, hexToBytes, keccak256 } from 'viem';

/** Web3 Secret Storage, version 3: what geth, clef and most wallets write. Hex without 0x. */
type Keystore = {
  readonly version: 3;
  readonly crypto: {
    readonly cipher: string;
    readonly cipherparams: { readonly iv: string };
    readonly ciphertext: string;
    readonly kdf: string;
    readonly kdfparams: Readonly<Record<string, string | number>>;
    readonly mac: string;
  };
};

/** scrypt needs 128 * n * r bytes; more than this is refused, not tried. */
const MAX_SCRYPT_BYTES = 1_200_000_000;

/**
 * The private key in a keystore file's text.
 * @throws KEYSTORE_INVALID, KEYSTORE_PASSWORD
 */
export const decryptKeystore = async (json: string, password: string): Promise<Hex> => {
  const { crypto } = parseKeystore(json);
  const key = await deriveKey(crypto, password);
  const ciphertext = bytes(crypto.ciphertext, 'ciphertext');
  const mac = hexToBytes(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext])));
  const expected = bytes(crypto.mac, 'mac');
  if (expected.length !== mac.length || !timingSafeEqual(expected, mac)) {
    throw new OpenLedgerError('the keystore does not open with this password', {
      code: 'KEYSTORE_PASSWORD',
      handling: 'fatal',
      action: 'Check the password and that the file is whole.',
    });
  }
  const iv = bytes(crypto.cipherparams?.iv, 'iv');
  if (crypto.cipher !== 'aes-128-ctr') throw invalid(`cipher ${crypto.cipher}`);
  if (iv.length > 16) throw invalid(`iv of ${iv.length} bytes`);
  // Some writers drop leading zero bytes of the counter.
  const counter = Buffer.concat([Buffer.alloc(16 - iv.length), iv]);
  const decipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), counter);
  const secret = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  if (secret.length > 32) throw invalid(`key of ${secret.length} bytes`);
  return bytesToHex(Buffer.concat([Buffer.alloc(32 - secret.length), secret]));
};

const deriveKey = async ({ kdf, kdfparams }: Keystore['crypto'], password: string): Promise<Uint8Array> => {
  const salt = bytes(kdfparams?.salt, 'salt');
  const integer = (name: string): number => {
    const value = Number(kdfparams[name]);
    return Number.isSafeInteger(value) && value > 0 ? value : fail(`${name} of ${kdf}`);
  };
  const length = integer('dklen');
  if (length < 32) throw invalid(`derived key of ${length} bytes`);
  if (kdf === 'pbkdf2') {
    if (kdfparams.prf !== 'hmac-sha256') throw invalid(`prf ${kdfparams.prf}`);
    return pbkdf2Sync(password, salt, integer('c'), length, 'sha256');
  }
  if (kdf !== 'scrypt') throw invalid(`kdf ${kdf}`);
  const [n, r, p] = [integer('n'), integer('r'), integer('p')];
  if (128 * n * r > MAX_SCRYPT_BYTES || (n & (n - 1)) !== 0) throw invalid(`scrypt with n ${n}, r ${r}`);
  // Not node:crypto: OpenSSL refuses n of 2^18 with r of 1, which old wallets wrote.
  return scrypt({
    password,
    salt,
    costFactor: n,
    blockSize: r,
    parallelism: p,
    hashLength: length,
    outputType: 'binary',
  });
};

const parseKeystore = (json: string): Keystore => {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json) as Record<string, unknown>;
  } catch (cause) {
    throw invalid('no JSON', cause);
  }
  if (value === null || typeof value !== 'object') throw invalid('no JSON object');
  // Early geth wrote a capital letter.
  const crypto = value.crypto ?? value.Crypto;
  if (value.version !== 3) throw invalid(`version ${String(value.version)}`);
  if (crypto === null || typeof crypto !== 'object') throw invalid('no crypto section');
  return { version: 3, crypto: crypto as Keystore['crypto'] };
};

const bytes = (text: unknown, name: string): Buffer =>
  typeof text === 'string' && /^(0x)?([0-9a-f]{2})*$/i.test(text)
    ? Buffer.from(text.replace(/^0x/, ''), 'hex')
    : fail(name);

const fail = (what: string): never => {
  throw invalid(what);
};

const invalid = (what: string, cause?: unknown) =>
  new OpenLedgerError(`not a usable version 3 keystore: ${what}`, {
    code: 'KEYSTORE_INVALID',
    handling: 'fatal',
    action: 'Use a file that geth, cast or a wallet has written.',
    cause,
  });
