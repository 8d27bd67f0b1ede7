import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { CHUNK_WORDS } from '../epoch/rewardTree.ts';
import { keccak } from '../hash.ts';
import type { PartView } from '../trace/partView.ts';
import type { Honest, ProposedEpoch } from './findFault.ts';
import { needChunk } from './proposedPart.ts';

/** RewardNodes.Chunk */
export type NodeChunk = { readonly index: bigint; readonly words: Uint8Array; readonly proof: readonly Hex[] };

export type NodeFault =
  | { readonly kind: 'root'; readonly chunk: NodeChunk }
  | { readonly kind: 'node'; readonly node: bigint; readonly chunks: readonly [NodeChunk, NodeChunk, NodeChunk] }
  | {
      readonly kind: 'missing';
      readonly account: Address;
      /** The node before which the account's leaf would stand. */
      readonly place: bigint;
      readonly chunks: readonly [NodeChunk, NodeChunk];
    };

const noChunk: NodeChunk = { index: 0n, words: new Uint8Array(), proof: [] };

/**
 * What is wrong with a tree whose trace is right: its top, a node that isn't its children's hash, or an account that it leaves
 * out. Looks at a few words only. @throws ChunkNeeded
 */
export const findNodeFault = (proposed: ProposedEpoch, view: PartView, { epoch }: Honest): NodeFault => {
  const { tree } = epoch;
  const chunk = (node: number): NodeChunk => {
    const index = Math.floor(node / CHUNK_WORDS);
    const { bytes, proof } = needChunk(view, 'nodes', index);
    return { index: BigInt(index), words: bytes, proof };
  };
  const word = (node: number): Hex => {
    const from = 32 * (node % CHUNK_WORDS);
    return bytesToHex(chunk(node).words.subarray(from, from + 32));
  };
  if (word(0) !== proposed.root) return { kind: 'root', chunk: chunk(0) };
  const firstLeaf = epoch.leaves.length - 1;
  let node = word(0) === tree.node(0) ? differingNode(view, tree.size, (at) => word(at) !== tree.node(at)) : 0;
  while (node < firstLeaf) {
    const [left, right] = [2 * node + 1, 2 * node + 2];
    if (hashPair(word(left), word(right)) !== word(node)) {
      return { kind: 'node', node: BigInt(node), chunks: [chunk(node), chunk(left), chunk(right)] };
    }
    node = word(left) === tree.node(left) ? right : left;
  }
  const place = missingPlace(node, firstLeaf, tree.size, word, (at) => tree.node(at));
  const chunks = [
    place.at > firstLeaf ? chunk(place.at - 1) : noChunk,
    place.at < tree.size ? chunk(place.at) : noChunk,
  ] as const;
  return { kind: 'missing', account: tree.accountAt(place.leaf), place: BigInt(place.at), chunks };
};

/** A node that differs although the top doesn't: under it lies a node that isn't its children's hash. */
const differingNode = (view: PartView, size: number, differs: (node: number) => boolean): number => {
  for (let index = 0; index * CHUNK_WORDS < size; index++) {
    needChunk(view, 'nodes', index);
    for (let node = index * CHUNK_WORDS; node < Math.min(size, (index + 1) * CHUNK_WORDS); node++) {
      // Its parent is right, so the fault is there.
      if (differs(node)) return Math.floor((node - 1) / 2);
    }
  }
  return 0;
};

/**
 * Both rows of leaves descend and are equally long, and at `node` they differ. Between there and one end the order of the two
 * changes, and where it changes a leaf that should be there lies between two neighbours.
 */
const missingPlace = (
  node: number,
  firstLeaf: number,
  size: number,
  theirs: (node: number) => Hex,
  ours: (node: number) => Hex,
): { leaf: number; at: number } => {
  if (ours(node) < theirs(node)) {
    let [low, high] = [node, size];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (ours(middle) < theirs(middle)) low = middle;
      else high = middle;
    }
    return { leaf: low, at: high };
  }
  let [low, high] = [firstLeaf - 1, node];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (ours(middle) > theirs(middle)) high = middle;
    else low = middle;
  }
  return { leaf: high, at: high };
};

const hashPair = (one: Hex, other: Hex): Hex => {
  const [left, right] = one < other ? [one, other] : [other, one];
  return bytesToHex(keccak(Uint8Array.of(...hexToBytes(left), ...hexToBytes(right))));
};
