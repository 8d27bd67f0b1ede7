import { PageDecodeError } from './errors.ts';

const bad = (message: string) => new PageDecodeError('BAD_COMPRESSION', message);

/** FastLZ level 1, strictly: @throws PageDecodeError BAD_COMPRESSION unless `input` makes exactly `length` bytes */
export const fastLzDecompress = (input: Uint8Array, length: number): Uint8Array => {
  const output = new Uint8Array(length);
  let at = 0;
  let written = 0;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw bad('it ends within an instruction');
    return byte;
  };
  while (at < input.length) {
    const instruction = next();
    const kind = instruction >> 5;
    if (kind === 0) {
      const count = (instruction & 31) + 1;
      if (at + count > input.length || written + count > length) throw bad('literals beyond the end');
      output.set(input.subarray(at, at + count), written);
      at += count;
      written += count;
      continue;
    }
    const count = kind === 7 ? 9 + next() : kind + 2;
    const distance = (instruction & 31) * 256 + next() + 1;
    if (distance > written || written + count > length) throw bad('a copy from or to outside');
    // Byte by byte: a copy may read what it writes.
    for (let i = 0; i < count; i++, written++) output[written] = output[written - distance] ?? 0;
  }
  if (written !== length) throw bad(`${written} bytes, ${length} announced`);
  return output;
};

const MAX_DISTANCE = 8192;
const MAX_COPY = 264;
const HASH_BITS = 13;

/** FastLZ level 1, greedy with a table of the last place of each three bytes. */
export const fastLzCompress = (input: Uint8Array): Uint8Array => {
  const output: number[] = [];
  const last = new Int32Array(1 << HASH_BITS).fill(-1);
  const at = (index: number): number => input[index] ?? 0;
  const triple = (index: number): number => at(index) | (at(index + 1) << 8) | (at(index + 2) << 16);
  let anchor = 0;
  const literals = (end: number): void => {
    for (; anchor < end; ) {
      const count = Math.min(32, end - anchor);
      output.push(count - 1, ...input.subarray(anchor, anchor + count));
      anchor += count;
    }
  };
  for (let place = 0; place + 2 < input.length; ) {
    const value = triple(place);
    const slot = Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS);
    const found = last[slot] ?? -1;
    last[slot] = place;
    if (found < 0 || place - found > MAX_DISTANCE || triple(found) !== value) {
      place++;
      continue;
    }
    let count = 3;
    while (count < MAX_COPY && place + count < input.length && at(found + count) === at(place + count)) count++;
    literals(place);
    const distance = place - found - 1;
    if (count < 9) output.push(((count - 2) << 5) | (distance >> 8), distance & 255);
    else output.push((7 << 5) | (distance >> 8), count - 9, distance & 255);
    place += count;
    anchor = place;
  }
  literals(input.length);
  return Uint8Array.from(output);
};
