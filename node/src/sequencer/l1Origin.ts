import { maxSequencerDrift, type RollupConfig } from '@openledger/chain-config';
import { nodeError } from '../errors.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import type { Block } from '../primitives/block.ts';

/**
 * The origin of the next block: the parent's, or its child once that has enough confirmations and isn't younger than the
 * new block. When the drift bound is near, the child is awaited rather than skipped (op-node's origin selector).
 * @throws L1_REORG when the parent's origin is no longer on L1.
 */
export const selectL1Origin = async (options: {
  parent: Block;
  config: RollupConfig;
  l1: L1Source;
  confirmations: bigint;
}): Promise<L1Block> => {
  const { parent, config, l1, confirmations } = options;
  const current = await l1.blockByHash(parent.l1Origin.hash);
  const canonical = await l1.blockByNumber(parent.l1Origin.number);
  if (!current || canonical?.hash !== current.hash) {
    throw nodeError('L1_REORG', 'the L1 origin of the head is no longer canonical', { origin: parent.l1Origin.hash });
  }
  const timestamp = parent.header.timestamp + config.blockTime;
  const head = await l1.head('latest');
  const next = current.number < head.number ? await l1.blockByNumber(current.number + 1n) : undefined;
  const usable = next && next.parentHash === current.hash && next.number + confirmations <= head.number;
  if (usable && timestamp >= next.timestamp) return next;
  if (
    timestamp > current.timestamp + maxSequencerDrift(config, current.timestamp) &&
    next &&
    timestamp >= next.timestamp
  ) {
    throw nodeError('L1_UNAVAILABLE', 'past the sequencer drift, and the next L1 origin is not confirmed yet');
  }
  return current;
};
