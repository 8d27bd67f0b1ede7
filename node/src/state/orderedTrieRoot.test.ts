import { createMPT } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import fc from 'fast-check';
import { bytesToHex } from 'viem';
import { expect, it } from 'vitest';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';
import { orderedTrieRoot } from './orderedTrieRoot.ts';

/** The same by putting one after the other into a trie. */
const putOneByOne = async (values: readonly Uint8Array[]): Promise<string> => {
  const trie = await createMPT();
  for (const [index, value] of values.entries()) await trie.put(RLP.encode(index), value);
  return bytesToHex(trie.root());
};

it('is the root that a trie has which grew value by value', async () => {
  const values = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(values, async (given) => {
      expect(await orderedTrieRoot(given.map((value) => bytesToHex(value)))).toBe(await putOneByOne(given));
    }),
    { numRuns: 100 },
  );
});

it.each([1, 2, 127, 128, 129, 255, 256, 300])('holds for %i values, where keys get longer', async (count) => {
  const values = Array.from({ length: count }, (_, index) => new Uint8Array(1 + (index % 90)).fill(1 + (index % 255)));
  expect(await orderedTrieRoot(values.map((value) => bytesToHex(value)))).toBe(await putOneByOne(values));
});

it('of nothing is the empty root', async () => expect(await orderedTrieRoot([])).toBe(EMPTY_TRIE_ROOT));
