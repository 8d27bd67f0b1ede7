import { createKeccak } from 'hash-wasm';
import secp256k1 from 'secp256k1';

/**
 * The hot hashes and signatures of execution: hash-wasm keccak and native secp256k1, 10 to 40 times the pure JS ones
 * (measured: an unaided EthereumJS spends half its time in recovery). One hasher a thread; never interleaved, it is synchronous.
 */
const hasher = await createKeccak(256);

export const keccak256Bytes = (data: Uint8Array): Uint8Array => {
  hasher.init();
  hasher.update(data);
  return hasher.digest('binary');
};

/** The uncompressed public key (64 bytes, without the 0x04 prefix) that made this signature. Throws on a bad one. */
export const recoverPublicKey = (digest: Uint8Array, r: Uint8Array, s: Uint8Array, yParity: 0 | 1): Uint8Array => {
  const signature = new Uint8Array(64);
  signature.set(r, 32 - r.length);
  signature.set(s, 64 - s.length);
  return secp256k1.ecdsaRecover(signature, yParity, digest, false).subarray(1);
};
