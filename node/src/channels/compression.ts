import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  type InputType,
  inflateSync,
} from 'node:zlib';

export type Compression = 'zlib' | 'brotli';

/** Channel version byte of brotli (fjord/derivation.md); zlib has none, its own first byte tells it. */
const BROTLI_VERSION = 1;
const ZLIB_METHODS: ReadonlySet<number> = new Set([8, 15]);
const DEFAULT_LEVEL: Readonly<Record<Compression, number>> = { zlib: 9, brotli: 10 };
/** More than any single input byte makes: a brotli command copies up to 2^24 bytes. */
const OVERSHOOT = 1 << 25;

export const compress = (
  data: Uint8Array,
  compression: Compression,
  level = DEFAULT_LEVEL[compression],
): Uint8Array => {
  if (compression === 'zlib') return new Uint8Array(deflateSync(data, { level }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_SIZE_HINT]: data.length };
  return new Uint8Array(Buffer.concat([Uint8Array.of(BROTLI_VERSION), brotliCompressSync(data, { params })]));
};

/**
 * The content of a channel, at most `maxRlpBytes` of it. A stream that ends early or turns bad half-way gives what comes before;
 * one of an unknown kind gives nothing (derivation.md, "Channel Format": batches are read until the first that doesn't decode).
 */
export const decompressChannel = (
  data: Uint8Array,
  { maxRlpBytes, brotli }: { maxRlpBytes: number; brotli: boolean },
): Uint8Array => {
  const [kind] = data;
  if (kind === undefined) return new Uint8Array();
  const maxOutputLength = maxRlpBytes + OVERSHOOT;
  if (ZLIB_METHODS.has(kind & 0x0f)) {
    const options = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
    return longestPrefix(data, (input) => inflateSync(input, options)).subarray(0, maxRlpBytes);
  }
  if (kind !== BROTLI_VERSION || !brotli) return new Uint8Array();
  const options = { maxOutputLength, finishFlush: constants.BROTLI_OPERATION_FLUSH };
  return longestPrefix(data.subarray(1), (input) => brotliDecompressSync(input, options)).subarray(0, maxRlpBytes);
};

/** The output of the longest input that doesn't fail: zlib's calls keep nothing of one that does, so it is searched for. */
const longestPrefix = (input: Uint8Array, run: (input: InputType) => Buffer): Uint8Array => {
  const attempt = (length: number): Uint8Array | undefined => {
    try {
      const { buffer, byteOffset, length: size } = run(input.subarray(0, length));
      return new Uint8Array(buffer, byteOffset, size);
    } catch {
      return undefined;
    }
  };
  let best = attempt(input.length);
  if (best) return best;
  let good = 0;
  let bad = input.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const output = attempt(middle);
    if (output) [good, best] = [middle, output];
    else bad = middle;
  }
  return best ?? new Uint8Array();
};
