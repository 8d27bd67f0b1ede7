import { PageDecodeError } from './errors.ts';

/** Reads the numbers of a page, strictly: one form per value. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.rest) throw new PageDecodeError('TRUNCATED', `${length} bytes wanted, ${this.rest} left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new PageDecodeError('TRUNCATED', 'the page ends within a number');
    this.#at++;
    return byte;
  }

  /** LEB128 of at most 53 bits. */
  uvarint(max = Number.MAX_SAFE_INTEGER): number {
    let byte = this.byte();
    let value = byte & 127;
    for (let scale = 128, length = 1; byte > 127; scale *= 128, length++) {
      byte = this.byte();
      // The eighth byte holds bits 49 to 52; more would not be a safe integer.
      if (length === 7 && byte > 15) throw new PageDecodeError('OUT_OF_RANGE', 'a number is over 2^53 - 1');
      if (byte === 0) throw new PageDecodeError('NOT_MINIMAL', 'a number ends with a needless byte');
      value += (byte & 127) * scale;
    }
    if (value > max) throw new PageDecodeError('OUT_OF_RANGE', `${value} is over ${max}`);
    return value;
  }

  /** LEB128 of at most 128 bits. */
  ubig(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      if (shift === 126n && byte > 3) throw new PageDecodeError('OUT_OF_RANGE', 'a number is over 2^128 - 1');
      if (byte === 0 && shift > 0n) throw new PageDecodeError('NOT_MINIMAL', 'a number ends with a needless byte');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
}

/** Grows as it is written to. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  uvarint(value: number): this {
    this.#reserve(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 128;
    this.#bytes[this.#length++] = rest;
    return this;
  }

  ubig(value: bigint): this {
    this.#reserve(19);
    let rest = value;
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 127n) | 128;
    this.#bytes[this.#length++] = Number(rest);
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
