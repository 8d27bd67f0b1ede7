import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Address, Hex } from 'viem';
import { RewardTree } from '../epoch/rewardTree.ts';
import { keccak } from '../hash.ts';
import { ChunkTree } from '../trace/chunkTree.ts';
import { CHUNK_HEADER_BYTES, CHUNK_RECORDS, RECORD_BYTES } from '../trace/format.ts';
import { type PartView, wholePart } from '../trace/partView.ts';
import { epochFileNames } from './epochFiles.ts';

const CHUNK_BYTES = CHUNK_HEADER_BYTES + CHUNK_RECORDS * RECORD_BYTES;

export type OpenedEpoch = {
  /** What the files themselves make, whatever anybody says of them. */
  readonly roots: { readonly root: Hex; readonly traceRoot: Hex; readonly treeRoot: Hex };
  readonly tree: RewardTree;
  readonly trace: PartView;
  readonly nodes: PartView;
  close(): void;
};

/** Opens an epoch's files, one's own or those that somebody has published. The trace stays on disk. */
export const openEpoch = (folder: string): OpenedEpoch => {
  const { leaves } = JSON.parse(readFileSync(join(folder, epochFileNames.ledger), 'utf8')) as {
    leaves: [Address, string][];
  };
  const tree = new RewardTree(leaves.map(([account, cumulative]) => ({ account, cumulative: BigInt(cumulative) })));
  const file = openSync(join(folder, epochFileNames.trace), 'r');
  const size = fstatSync(file).size;
  const chunk = (index: number): Uint8Array => {
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES));
    readSync(file, bytes, 0, bytes.length, index * CHUNK_BYTES);
    return bytes;
  };
  const hashes = new Uint8Array(32 * Math.max(1, Math.ceil(size / CHUNK_BYTES)));
  for (let index = 0; index * CHUNK_BYTES < size; index++) hashes.set(keccak(keccak(chunk(index))), 32 * index);
  const [trace, nodes] = [new ChunkTree(hashes), tree.chunkTree()];
  return {
    roots: { root: tree.root, traceRoot: trace.root, treeRoot: nodes.root },
    tree,
    trace: wholePart(trace, chunk),
    nodes: wholePart(nodes, (index) => tree.chunk(index)),
    close: () => closeSync(file),
  };
};
