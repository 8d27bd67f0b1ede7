import { nodeError } from '../errors.ts';

const FIELD_ELEMENTS = 4096;
const ELEMENT_BYTES = 32;
export const BLOB_BYTES = FIELD_ELEMENTS * ELEMENT_BYTES;
/** Four elements carry four times 31 bytes and three more in their spare bits. */
const GROUP_BYTES = 4 * 31 + 3;
const GROUPS = FIELD_ELEMENTS / 4;
const VERSION = 0;
const HEADER_BYTES = 4;
export const MAX_BLOB_DATA_BYTES = GROUP_BYTES * GROUPS - HEADER_BYTES;

const at = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0;

/** Packs data into a blob's field elements, 254 bits each (ecotone/derivation.md, "Blob Encoding"). @throws BLOB_MALFORMED */
export const encodeBlob = (data: Uint8Array): Uint8Array => {
  if (data.length > MAX_BLOB_DATA_BYTES) {
    throw nodeError('BLOB_MALFORMED', 'the data is too long for a blob', { length: data.length });
  }
  const content = new Uint8Array(GROUP_BYTES * GROUPS);
  content.set([VERSION, data.length >> 16, (data.length >> 8) & 0xff, data.length & 0xff]);
  content.set(data, HEADER_BYTES);
  const blob = new Uint8Array(BLOB_BYTES);
  for (let group = 0; group * GROUP_BYTES < HEADER_BYTES + data.length; group++) {
    const from = group * GROUP_BYTES;
    const to = group * 4 * ELEMENT_BYTES;
    const [x, y, z] = [at(content, from + 31), at(content, from + 63), at(content, from + 95)];
    const tops = [x & 0x3f, (y & 0x0f) | ((x & 0xc0) >> 2), z & 0x3f, ((z & 0xc0) >> 2) | ((y & 0xf0) >> 4)];
    tops.forEach((top, element) => {
      blob[to + element * ELEMENT_BYTES] = top;
      blob.set(content.subarray(from + element * 32, from + element * 32 + 31), to + element * ELEMENT_BYTES + 1);
    });
  }
  return blob;
};

/**
 * The data in a blob. Exactly one blob encodes given data, so spare bits and bytes must be zero.
 * @throws BLOB_MALFORMED
 */
export const decodeBlob = (blob: Uint8Array): Uint8Array => {
  const fail = (reason: string) => nodeError('BLOB_MALFORMED', `not a blob of rollup data: ${reason}`);
  if (blob.length !== BLOB_BYTES) throw fail(`${blob.length} bytes`);
  const content = new Uint8Array(GROUP_BYTES * GROUPS);
  for (let group = 0; group < GROUPS; group++) {
    const from = group * 4 * ELEMENT_BYTES;
    const to = group * GROUP_BYTES;
    const [a, b, c, d] = [at(blob, from), at(blob, from + 32), at(blob, from + 64), at(blob, from + 96)];
    if ((a | b | c | d) & 0xc0) throw fail('a field element has more than 254 bits');
    for (let element = 0; element < 4; element++) {
      const start = from + element * ELEMENT_BYTES + 1;
      content.set(blob.subarray(start, start + 31), to + element * 32);
    }
    content[to + 31] = a | ((b & 0x30) << 2);
    content[to + 63] = (b & 0x0f) | ((d & 0x0f) << 4);
    content[to + 95] = c | ((d & 0x30) << 2);
  }
  if (content[0] !== VERSION) throw fail(`unknown version ${content[0]}`);
  const length = (at(content, 1) << 16) | (at(content, 2) << 8) | at(content, 3);
  if (length > MAX_BLOB_DATA_BYTES) throw fail('its length is more than a blob holds');
  const end = HEADER_BYTES + length;
  if (content.subarray(end).some((byte) => byte !== 0)) throw fail('something follows the data');
  return content.slice(HEADER_BYTES, end);
};
