import { limits } from './limits.ts';

const FASTLZ = 1;

/** Whether the body of a recorded page is short enough to be paid for: a dispute has to read it on chain. */
export const payablePage = (page: Uint8Array): boolean => bodyBytes(page) <= limits.paidBody;

const bodyBytes = (page: Uint8Array): number => {
  if (page[1] !== FASTLZ) return page.length - 2;
  let [length, factor] = [0, 1];
  for (let at = 2; ; at++) {
    const byte = page[at] ?? 0;
    length += (byte & 127) * factor;
    if (byte < 128) return length;
    factor *= 128;
  }
};
