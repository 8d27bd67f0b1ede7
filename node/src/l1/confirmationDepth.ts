import type { L1Source } from './l1Source.ts';

/**
 * L1 as it looks from `depth` blocks below its head: what is newer isn't there yet. Derivation reads it through this, so that
 * shallow L1 reorgs don't reach the safe head (op-node's verifier.l1-confs). What is asked by hash is answered.
 */
export const withConfirmationDepth = (l1: L1Source, depth: bigint): L1Source => {
  if (depth === 0n) return l1;
  const confirmed = async (): Promise<bigint> => {
    const { number } = await l1.head('latest');
    return number > depth ? number - depth : 0n;
  };
  return {
    blockByHash: (hash) => l1.blockByHash(hash),
    transactions: (block) => l1.transactions(block),
    receipts: (block) => l1.receipts(block),
    blobs: (block, hashes) => l1.blobs(block, hashes),
    blockByNumber: async (number) => (number > (await confirmed()) ? undefined : l1.blockByNumber(number)),
    head: async (tag) => {
      const head = await l1.head(tag);
      const limit = await confirmed();
      return head.number <= limit ? head : ((await l1.blockByNumber(limit)) ?? head);
    },
  };
};
