import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex } from 'viem';
import { keccak256Bytes } from '../primitives/crypto.ts';
import { EMPTY_TRIE_ROOT } from '../primitives/header.ts';
import { fromHex } from '../primitives/hex.ts';

type Leaf = { readonly path: Uint8Array; readonly value: Uint8Array };
type TrieNode = (Uint8Array | TrieNode)[];

/**
 * Root of the trie rlp(index) -> value, for transactions, receipts and withdrawals (Yellow Paper 4.3.2, appendix D). All leaves
 * are known, so the trie is built once from below: each node is encoded and hashed a single time.
 */
export const orderedTrieRoot = async (values: readonly Hex[]): Promise<Hex> => {
  if (values.length === 0) return EMPTY_TRIE_ROOT;
  const leaves = values
    .map((value, index): Leaf => ({ path: toNibbles(RLP.encode(index)), value: fromHex(value) }))
    .sort((a, b) => Buffer.compare(a.path, b.path));
  return bytesToHex(keccak256Bytes(RLP.encode(buildNode(leaves, 0, leaves.length, 0) as never)));
};

/** The node over `leaves[from..to)`, which agree in the first `depth` nibbles of their paths. */
const buildNode = (leaves: readonly Leaf[], from: number, to: number, depth: number): TrieNode => {
  const first = leaves[from] as Leaf;
  const last = leaves[to - 1] as Leaf;
  if (to - from === 1) return [hexPrefix(first.path.subarray(depth), true), first.value];
  let common = depth;
  while (common < first.path.length && first.path[common] === last.path[common]) common++;
  if (common > depth) {
    return [hexPrefix(first.path.subarray(depth, common), false), reference(buildNode(leaves, from, to, common))];
  }
  const branch: TrieNode = Array.from({ length: 17 }, () => new Uint8Array());
  let start = from;
  if (first.path.length === depth) {
    branch[16] = first.value;
    start++;
  }
  while (start < to) {
    const nibble = leaves[start]?.path[depth] ?? 0;
    let end = start + 1;
    while (end < to && leaves[end]?.path[depth] === nibble) end++;
    branch[nibble] = reference(buildNode(leaves, start, end, depth + 1));
    start = end;
  }
  return branch;
};

/** Nodes shorter than a hash stand in their parent as they are. */
const reference = (node: TrieNode): Uint8Array | TrieNode => {
  const encoded = RLP.encode(node as never);
  return encoded.length < 32 ? node : keccak256Bytes(encoded);
};

const toNibbles = (key: Uint8Array): Uint8Array => {
  const nibbles = new Uint8Array(key.length * 2);
  for (const [i, byte] of key.entries()) nibbles.set([byte >> 4, byte & 15], i * 2);
  return nibbles;
};

/** Hex-prefix encoding (Yellow Paper, appendix C): the flags nibble, then the path. */
const hexPrefix = (path: Uint8Array, isLeaf: boolean): Uint8Array => {
  const odd = path.length % 2;
  const out = new Uint8Array((path.length >> 1) + 1);
  out[0] = (isLeaf ? 0x20 : 0) | (odd ? 0x10 | (path[0] ?? 0) : 0);
  for (let i = odd, j = 1; i < path.length; i += 2, j++) out[j] = ((path[i] ?? 0) << 4) | (path[i + 1] ?? 0);
  return out;
};
