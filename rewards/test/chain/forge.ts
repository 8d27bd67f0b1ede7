import type { EpochLedger } from '../../src/epoch/computeEpoch.ts';
import { RewardTree } from '../../src/epoch/rewardTree.ts';
import { keccak } from '../../src/hash.ts';
import { ChunkTree } from '../../src/trace/chunkTree.ts';
import { CHUNK_RECORDS, type TraceChunk, type TraceRecord, writeChunk } from '../../src/trace/format.ts';
import { wholePart } from '../../src/trace/partView.ts';

const treeOf = (chunks: readonly Uint8Array[]): ChunkTree => {
  const leaves = new Uint8Array(32 * chunks.length);
  for (const [index, chunk] of chunks.entries()) leaves.set(keccak(keccak(chunk)), 32 * index);
  return new ChunkTree(leaves);
};

/** Chunks of any records, with totals that fit them. */
export const chunksOf = (records: readonly TraceRecord[]): TraceChunk[] => {
  const chunks: TraceChunk[] = [];
  let [ofAccount, ofAll, accounts] = [0n, 0n, 0n];
  for (const [index, record] of records.entries()) {
    if (record.account !== records[index - 1]?.account) ofAccount = 0n;
    if (index % CHUNK_RECORDS === 0) {
      chunks.push({ ofAccount, ofAll, accounts, records: records.slice(index, index + CHUNK_RECORDS) });
    }
    if (ofAccount === 0n) accounts++;
    ofAccount += record.amount;
    ofAll += record.amount;
  }
  return chunks;
};

export type Forged = ReturnType<typeof forge>;

/** An epoch as a dishonest proposer would make it: consistent in itself wherever it isn't told otherwise. */
export const forge = (
  honest: EpochLedger,
  records: readonly TraceRecord[],
  change: {
    chunks?: (chunks: TraceChunk[]) => TraceChunk[];
    words?: (words: Uint8Array) => void;
    root?: `0x${string}`;
    total?: bigint;
    accounts?: bigint;
  } = {},
) => {
  const chunks = (change.chunks ?? ((same) => same))(chunksOf(records)).map(writeChunk);
  const trace = treeOf(chunks);
  const totals = new Map<`0x${string}`, bigint>();
  for (const { account, amount } of records) totals.set(account, (totals.get(account) ?? 0n) + amount);
  const tree = new RewardTree([...totals].map(([account, cumulative]) => ({ account, cumulative })));
  const words = Uint8Array.from(
    Array.from({ length: Math.ceil(tree.size / 64) }, (_, index) => [...tree.chunk(index)]).flat(),
  );
  change.words?.(words);
  const nodeChunks = Array.from({ length: Math.ceil(tree.size / 64) }, (_, i) => words.slice(2048 * i, 2048 * (i + 1)));
  const nodes = treeOf(nodeChunks);
  const top = `0x${Buffer.from(words.subarray(0, 32)).toString('hex')}` as const;
  return {
    proposal: {
      root: change.root ?? top,
      dataHash: honest.dataHash,
      traceRoot: trace.root,
      treeRoot: nodes.root,
      records: BigInt(records.length),
      accounts: change.accounts ?? BigInt(totals.size),
      toBlock: honest.toBlock,
      total: change.total ?? records.reduce((sum, { amount }) => sum + amount, 0n),
    },
    trace: wholePart(trace, (index) => chunks[index] as Uint8Array),
    nodes: wholePart(nodes, (index) => nodeChunks[index] as Uint8Array),
  };
};
