import { createMPT } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { keccak256Bytes } from '../primitives/crypto.ts';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';

/** Root of the trie rlp(index) -> value, for transactions and receipts (Yellow Paper 4.3.2). */
export const orderedTrieRoot = async (values: readonly Hex[]): Promise<Hex> => {
  if (values.length === 0) return EMPTY_TRIE_ROOT;
  const trie = await createMPT({ useKeyHashingFunction: keccak256Bytes });
  for (const [index, value] of values.entries()) {
    await trie.put(RLP.encode(index), hexToBytes(value));
  }
  return bytesToHex(trie.root());
};
