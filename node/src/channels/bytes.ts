import { RLP } from '@ethereumjs/rlp';
import { nodeError } from '../errors.ts';
import { fromHex, toHex } from '../primitives/hex.ts';

/** RLP as bytes: a string or a list. */
export type RlpBytes = Uint8Array | RlpBytes[];

export const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = Buffer.concat(parts);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
};

export const encodeRlp = (item: RlpBytes): Uint8Array => RLP.encode(item);

/** How long a string of this many bytes (not a lone small one) is as RLP. */
export const rlpStringBytes = (length: number): number =>
  length + (length < 56 ? 1 : 1 + Math.ceil(length.toString(16).length / 2));

/** Exactly one item in its only valid form. @throws BATCH_MALFORMED */
export const decodeRlp = (bytes: Uint8Array): RlpBytes => {
  if (bytes.length === 0) throw malformed('RLP of no bytes');
  try {
    return RLP.decode(bytes) as RlpBytes;
  } catch (cause) {
    throw malformed('not RLP in its only valid form', cause);
  }
};

export const malformed = (reason: string, cause?: unknown) => nodeError('BATCH_MALFORMED', reason, {}, cause);

/** An unsigned integer as RLP has it, without leading zeros. @throws BATCH_MALFORMED */
export const rlpInteger = (item: RlpBytes | undefined, maxBytes = 32): bigint => {
  if (!(item instanceof Uint8Array) || item.length > maxBytes || item[0] === 0) throw malformed('not an integer');
  return item.length === 0 ? 0n : BigInt(toHex(item));
};

/** The shortest big-endian form, empty for zero. */
export const integerBytes = (value: bigint): Uint8Array => {
  if (value === 0n) return new Uint8Array();
  const digits = value.toString(16);
  return fromHex(`0x${digits.length % 2 ? '0' : ''}${digits}`);
};

/** Base-128 varint of protobuf, at most 64 bits. */
export const uvarint = (value: bigint): Uint8Array => {
  const bytes: number[] = [];
  for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  bytes.push(Number(value));
  return Uint8Array.from(bytes);
};

/** A bitlist as a big-endian integer, padded on the left: bit 0 is the lowest of the last byte. */
export const encodeBits = (bits: readonly boolean[]): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => {
    const at = bytes.length - 1 - (index >> 3);
    if (bit) bytes[at] = (bytes[at] ?? 0) | (1 << (index & 7));
  });
  return bytes;
};

/** Reads formats that are one field after the other. Whatever is cut short or too large is BATCH_MALFORMED. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) throw malformed('the data is cut short');
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  peek(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw malformed('the data is cut short');
    return byte;
  }

  uvarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.peek();
      this.#offset++;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >> 64n) break;
        return value;
      }
    }
    throw malformed('a varint of more than 64 bits');
  }

  /** A count or size that must not be over `max`. */
  count(max: number): number {
    const value = this.uvarint();
    if (value > BigInt(max)) throw malformed(`a count of ${value}, more than ${max}`);
    return Number(value);
  }

  /** A bitlist of this many bits, as a lookup. */
  bits(count: number): (index: number) => boolean {
    const bytes = this.take(Math.ceil(count / 8));
    const spare = (8 - (count % 8)) % 8;
    if (spare > 0 && (bytes[0] ?? 0) >> (8 - spare) !== 0) throw malformed('a bitlist with more bits than it has');
    return (index) => (((bytes[bytes.length - 1 - (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1;
  }

  /** The bytes of the next RLP item, its header included, of at most `max` content bytes. */
  rlpItem(max: number): Uint8Array {
    const start = this.#offset;
    const prefix = this.peek();
    const base = prefix < 0xc0 ? 0x80 : 0xc0;
    if (prefix < 0x80) return this.take(1);
    let length = prefix - base;
    this.#offset++;
    if (length > 55) {
      const digits = this.take(length - 55);
      length = digits.length > 6 ? Number.POSITIVE_INFINITY : Number(BigInt(toHex(digits)));
      if (digits[0] === 0 || length < 56) throw malformed('an RLP length in a longer form than it needs');
    }
    if (length > max) throw malformed(`an RLP item of ${length} bytes, more than ${max}`);
    this.take(length);
    return this.#bytes.subarray(start, this.#offset);
  }
}
