/**
 * Length of `data` under FastLZ level 1, without producing the output (specs/protocol/fjord/exec-engine.md: the L1 cost
 * estimate is linear in it). The exact parse matters: the result enters consensus.
 */
export const fastLzLength = (data: Uint8Array): number => {
  const table = new Uint32Array(8192);
  const limit = data.length < 13 ? 0 : data.length - 13;
  const at = (index: number): number => data[index] ?? 0;
  const u24 = (index: number): number => at(index) | (at(index + 1) << 8) | (at(index + 2) << 16);
  const hash = (value: number): number => (Math.imul(2654435769, value) >>> 19) & 0x1fff;
  const literals = (count: number): number => {
    const rest = count % 32;
    return 33 * Math.floor(count / 32) + (rest === 0 ? 0 : rest + 1);
  };
  const match = (length: number): number => {
    const rest = (length - 1) % 262;
    return 3 * Math.floor((length - 1) / 262) + (rest >= 6 ? 3 : 2);
  };

  let size = 0;
  let anchor = 0;
  let position = 2;
  while (position < limit) {
    let reference = 0;
    for (;;) {
      const sequence = u24(position);
      const slot = hash(sequence);
      reference = table[slot] ?? 0;
      table[slot] = position;
      const distance = position - reference;
      if (position >= limit) break;
      position++;
      if (distance <= 0x1fff && sequence === u24(reference)) break;
    }
    if (position >= limit) break;
    position--;
    if (position > anchor) size += literals(position - anchor);
    let length = 0;
    const end = limit + 9;
    // The byte that ends a match counts as part of it, as in the reference.
    while (position + 3 + length < end) {
      length++;
      if (at(reference + 2 + length) !== at(position + 2 + length)) break;
    }
    size += match(length);
    position += length;
    for (let i = 0; i < 2; i++) {
      table[hash(u24(position))] = position;
      position++;
    }
    anchor = position;
  }
  return size + literals(data.length - anchor);
};
