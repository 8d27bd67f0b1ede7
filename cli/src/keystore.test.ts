import { createCipheriv, pbkdf2Sync } from 'node:crypto';
import { keccak256 } from 'viem';
import { describe, expect, it } from 'vitest';
import { decryptKeystore } from './keystore.ts';

const KEY = `0x${'17'.repeat(32)}` as const;
const salt = Buffer.alloc(32, 3);
const iv = Buffer.alloc(16, 4);

/** The vectors of ethereum/tests are run by the conformance suite `core-formats`. */
const keystore = (password: string, crypto: object = {}) => {
  const derived = pbkdf2Sync(password, salt, 10, 32, 'sha256');
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(KEY.slice(2), 'hex')), cipher.final()]);
  return {
    version: 3,
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'pbkdf2',
      kdfparams: { c: 10, dklen: 32, prf: 'hmac-sha256', salt: salt.toString('hex') },
      mac: keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])).slice(2),
      ...crypto,
    },
  };
};

describe('a keystore', () => {
  it('opens with its password only', async () => {
    const json = JSON.stringify(keystore('open sesame'));
    expect(await decryptKeystore(json, 'open sesame')).toBe(KEY);
    await expect(decryptKeystore(json, 'open')).rejects.toEqual(expect.objectContaining({ code: 'KEYSTORE_PASSWORD' }));
  });

  it('may have its section in capitals, as early geth wrote it', async () => {
    const { version, crypto } = keystore('x');
    expect(await decryptKeystore(JSON.stringify({ version, Crypto: crypto }), 'x')).toBe(KEY);
  });

  it('is refused when it is something else, and before memory is spent on it', async () => {
    const bad = [
      'not json',
      'null',
      '{"version":1}',
      '{"version":3}',
      JSON.stringify(keystore('x', { kdf: 'argon2' })),
      JSON.stringify(keystore('x', { kdf: 'scrypt', kdfparams: { n: 2 ** 30, r: 8, p: 1, dklen: 32, salt: '00' } })),
      JSON.stringify(keystore('x', { kdf: 'scrypt', kdfparams: { n: 3, r: 8, p: 1, dklen: 32, salt: '00' } })),
      JSON.stringify(keystore('x', { kdfparams: { c: 0, dklen: 32, prf: 'hmac-sha256', salt: '00' } })),
      JSON.stringify(keystore('x', { ciphertext: 'zz' })),
    ];
    for (const json of bad) {
      await expect(decryptKeystore(json, 'x'), json).rejects.toEqual(
        expect.objectContaining({ code: 'KEYSTORE_INVALID' }),
      );
    }
  });
});
