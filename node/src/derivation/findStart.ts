import type { BlockId, RollupConfig } from '@openledger/chain-config';
import { nodeError } from '../errors.ts';
import type { L1Source } from '../l1/l1Source.ts';
import type { Block } from '../primitives/block.ts';
import { systemConfigOfBlock } from '../primitives/l1Attributes.ts';
import type { PipelineStart } from './pipeline.ts';
import type { SafeHead, SafeHeads } from './safeHeads.ts';

export type DerivationStart = PipelineStart & {
  /** Derivation goes on after this block. */
  readonly cursor: Block;
  /** The last block that the canonical L1 is known to say; the cursor or later. */
  readonly safe: BlockId;
};

type Chain = {
  blockByHash(hash: BlockId['hash']): Promise<Block | undefined>;
  isCanonical(block: BlockId): Promise<boolean>;
};

/**
 * The newest point from which derivation gives what a full one from genesis would: an L1 block that still stands, after which
 * nothing was half-way, and the L2 block reached there. Where op-node walks back by sequencing window and channel timeout
 * (derivation.md, "Resetting the Pipeline"), the record of safe heads tells exactly. Without one it is genesis.
 * @throws L1_WRONG_CHAIN
 */
export const findStart = async (options: {
  config: RollupConfig;
  l1: L1Source;
  chain: Chain;
  safeHeads: SafeHeads;
}): Promise<DerivationStart> => {
  const { config, l1, chain, safeHeads } = options;
  const { genesis } = config;
  if ((await l1.blockByNumber(genesis.l1.number))?.hash !== genesis.l1.hash) {
    throw nodeError('L1_WRONG_CHAIN', 'this L1 does not have the block that the rollup started from');
  }
  const stands = async ({ l1: block, safe }: SafeHead): Promise<boolean> =>
    (await l1.blockByNumber(block.number))?.hash === block.hash && (await chain.isCanonical(safe));
  const origin: SafeHead = { l1: genesis.l1, safe: genesis.l2, isClean: true };
  let newest: SafeHead | undefined;
  let start = origin;
  for await (const entry of safeHeads.newestFirst()) {
    if (!newest && !(await stands(entry))) continue;
    newest ??= entry;
    // Below an L1 block that stands all do; what L2 had there is checked for the one that is taken.
    if (!entry.isClean || !(await chain.isCanonical(entry.safe))) continue;
    start = entry;
    break;
  }
  await safeHeads.truncate(newest?.l1.number ?? genesis.l1.number);
  const cursor = await chain.blockByHash(start.safe.hash);
  const base = cursor && (await l1.blockByHash(cursor.l1Origin.hash));
  if (!cursor || !base) throw nodeError('L1_REORG', 'L1 changed while the starting point was looked for');
  return {
    cursor,
    safe: (newest ?? origin).safe,
    base,
    systemConfig: systemConfigOfBlock(cursor, config),
    derivedUpTo: start.l1,
  };
};
