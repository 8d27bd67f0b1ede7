import type { Address, Hex } from 'viem';
import { concat, encodeAbiParameters, keccak256, zeroHash } from 'viem';

/** Levels of a datanet's tree (Datanets.TREE_DEPTH), and so the length of every proof. */
export const DATANET_TREE_DEPTH = 20;

export interface DatanetLeaf {
  contributionId: bigint;
  contributor: Address;
  contentHash: Hex;
  score: number;
}

/** The leaf of one accepted file, as ContributionAccepted carries it. */
export function datanetLeaf({ contributionId, contributor, contentHash, score }: DatanetLeaf): Hex {
  const types = [{ type: 'uint256' }, { type: 'address' }, { type: 'bytes32' }, { type: 'uint16' }] as const;
  return keccak256(keccak256(encodeAbiParameters(types, [contributionId, contributor, contentHash, score])));
}

/** The root of a datanet whose accepted files have these leaves, in the order of their acceptance. */
export function datanetRoot(leaves: readonly Hex[]): Hex {
  return levels(leaves).at(-1)?.[0] ?? emptyRoots[DATANET_TREE_DEPTH] ?? zeroHash;
}

/** The siblings from leaf `index` up, as OpenZeppelin's MerkleProof takes them. */
export function datanetProof(leaves: readonly Hex[], index: number): Hex[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`no leaf ${index} among ${leaves.length}`);
  }
  return levels(leaves)
    .slice(0, DATANET_TREE_DEPTH)
    .map((level, height) => level[(index >> height) ^ 1] ?? emptyRoot(height));
}

/** Roots of empty subtrees by height; the chain starts from an empty leaf of 32 zero bytes. */
const emptyRoots: Hex[] = [zeroHash];
for (let height = 0; height < DATANET_TREE_DEPTH; height++) {
  emptyRoots.push(parent(emptyRoot(height), emptyRoot(height)));
}

function emptyRoot(height: number): Hex {
  return emptyRoots[height] ?? zeroHash;
}

/** All nodes that have a leaf below them, level by level from the leaves to the root. */
function levels(leaves: readonly Hex[]): Hex[][] {
  if (leaves.length > 2 ** DATANET_TREE_DEPTH) throw new RangeError(`${leaves.length} leaves don't fit into the tree`);
  const all: Hex[][] = [[...leaves]];
  for (let height = 0; height < DATANET_TREE_DEPTH; height++) {
    const below = all[height] ?? [];
    const level: Hex[] = [];
    for (let i = 0; i < below.length; i += 2) {
      level.push(parent(below[i] ?? emptyRoot(height), below[i + 1] ?? emptyRoot(height)));
    }
    all.push(level);
  }
  return all;
}

/** Commutative: the smaller child first, so that a proof needs no directions. */
function parent(a: Hex, b: Hex): Hex {
  return keccak256(a < b ? concat([a, b]) : concat([b, a]));
}
