import { bytesToHex, type Hex } from 'viem';
import { keccak } from '../hash.ts';
import type { ChunkTree } from './chunkTree.ts';

/** The two things that an epoch commits to chunk by chunk; numbers as in RewardDisputes.sol. */
export const parts = { trace: 0, nodes: 1 } as const;
export type Part = keyof typeof parts;

export type ProvenChunk = { readonly bytes: Uint8Array; readonly proof: readonly Hex[] };

/** What is known of a part that somebody has committed to. */
export type PartView = {
  chunk(index: number): ProvenChunk | undefined;
  /** The hash at a level (0 for the chunks) and position. */
  hash(level: number, position: number): Hex | undefined;
};

/** All of it, as computed or as published. */
export const wholePart = (tree: ChunkTree, read: (index: number) => Uint8Array): PartView => ({
  chunk: (index) => (index < tree.chunks ? { bytes: read(index), proof: tree.proof(index) } : undefined),
  hash: (level, position) => tree.node(level, position),
});

/** Only what the proposer has shown on chain, with the siblings that came with it. */
export const shownPart = (root: Hex, shown: ReadonlyMap<number, ProvenChunk>): PartView => {
  const hashes = new Map<string, Hex>();
  for (const [index, { bytes, proof }] of shown) {
    let hash = bytesToHex(keccak(keccak(bytes)));
    for (const [level, sibling] of proof.entries()) {
      const position = Math.floor(index / 2 ** level);
      hashes.set(`${level} ${position}`, hash);
      hashes.set(`${level} ${position ^ 1}`, sibling);
      const [left, right] = position % 2 === 0 ? [hash, sibling] : [sibling, hash];
      hash = bytesToHex(keccak(Buffer.from(`${left.slice(2)}${right.slice(2)}`, 'hex')));
    }
    hashes.set(`${proof.length} 0`, hash);
  }
  const height = [...shown.values()][0]?.proof.length;
  return {
    chunk: (index) => shown.get(index),
    hash: (level, position) => (level === height && position === 0 ? root : hashes.get(`${level} ${position}`)),
  };
};
