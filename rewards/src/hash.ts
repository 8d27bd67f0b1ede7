import { createKeccak } from 'hash-wasm';

const hasher = await createKeccak(256);

/** keccak256 in WebAssembly: an epoch hashes hundreds of megabytes. */
export const keccak = (bytes: Uint8Array): Uint8Array => hasher.init().update(bytes).digest('binary');
