/**
 * The `bytes[]` whose head stands in word `slot` of a call's arguments, as Solidity reads it from calldata: whatever the contract
 * has accepted and hashed is found here, in the same bytes. Other decoders refuse some of it (offsets that point back, or that
 * many elements share), and a batch that contracts can prove must not be missing in the log. Solidity compares an element's offset as
 * a signed number, and what lies outside of the calldata reads as zero.
 *
 * @returns undefined when the arguments hold no such array; a transaction that succeeded always does
 */
export const pagesInCalldata = (data: Uint8Array, slot: number): Uint8Array[] | undefined => {
  const args = data.subarray(4);
  const offset = wordAt(args, BigInt(32 * slot));
  if (offset > MAX_UINT64) return undefined;
  const count = wordAt(args, offset);
  const base = offset + 32n;
  if (base + 32n * count > BigInt(args.length)) return undefined;
  const pages: Uint8Array[] = [];
  for (let index = 0n; index < count; index++) {
    // Relative to where the elements' heads begin; it may lead back as far as the selector.
    const place = 4n + base + BigInt.asIntN(256, wordAt(args, base + 32n * index));
    const length = wordAt(data, place);
    const from = place + 32n;
    if (length === 0n) pages.push(new Uint8Array());
    else if (from < 0n || from + length > BigInt(data.length)) return undefined;
    else pages.push(data.slice(Number(from), Number(from + length)));
  }
  return pages;
};

const MAX_UINT64 = (1n << 64n) - 1n;

/** `calldataload`: 32 bytes from `place` on, zeros beyond the end; a place before the start is one far beyond it. */
const wordAt = (bytes: Uint8Array, place: bigint): bigint => {
  if (place < 0n || place >= BigInt(bytes.length)) return 0n;
  let word = 0n;
  for (let i = 0; i < 32; i++) word = (word << 8n) | BigInt(bytes[Number(place) + i] ?? 0);
  return word;
};
