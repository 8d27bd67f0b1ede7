import type { Address } from 'viem';
import type { Window } from '../challenge/findTraceFault.ts';
import { CHUNK_RECORDS, readChunk } from './format.ts';
import type { PartView } from './partView.ts';

/** The window that shows an account's last record, or that it has none. */
export const accountEnd = (view: PartView, records: number, account: Address): Window => {
  const count = Math.ceil(records / CHUNK_RECORDS);
  const wanted = account.toLowerCase();
  let [low, high] = [0, count - 1];
  // The last chunk that begins at or before the account.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const first = readChunk(chunkAt(view, middle).bytes).records[0];
    if ((first?.account ?? '') <= wanted) low = middle;
    else high = middle - 1;
  }
  const { bytes, proof } = chunkAt(view, low);
  const next = low + 1 < count ? chunkAt(view, low + 1) : undefined;
  return {
    index: BigInt(low),
    chunk: bytes,
    proof,
    next: next?.bytes ?? new Uint8Array(),
    nextProof: next?.proof ?? [],
  };
};

const chunkAt = (view: PartView, index: number) => {
  const chunk = view.chunk(index);
  if (!chunk) throw new RangeError(`the trace has no chunk ${index}`);
  return chunk;
};
