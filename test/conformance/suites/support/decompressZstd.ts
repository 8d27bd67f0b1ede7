import { createRequire } from 'node:module';

type Zstd = typeof import('@bokuweb/zstd-wasm');

const require = createRequire(import.meta.url);

/** For frames that don't say how long they are; the library's memory doesn't grow beyond this. */
const MAX_BYTES = 12 * 1024 * 1024;

/** A new instance of the library: one that has decompressed twice with a dictionary doesn't do it again. */
const instantiate = async (): Promise<Zstd> => {
  for (const path of Object.keys(require.cache)) if (path.includes('zstd-wasm')) delete require.cache[path];
  const zstd = require('@bokuweb/zstd-wasm') as Zstd;
  await zstd.init();
  return zstd;
};

/** Text that was compressed with a dictionary. @throws when it isn't, or is longer than the library can hold */
export const decompressZstd = async (bytes: Uint8Array, dictionary: Uint8Array): Promise<string> => {
  const zstd = await instantiate();
  const text = zstd.decompressUsingDict(zstd.createDCtx(), bytes, dictionary, { defaultHeapSize: MAX_BYTES });
  return Buffer.from(text).toString('utf8');
};
