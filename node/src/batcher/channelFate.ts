import type { BlockId, RollupConfig } from '@openledger/chain-config';
import { channelTimeout } from '../derivation/protocolParameters.ts';
import type { TrackedTx } from '../l1/txManager.ts';
import type { ClosedChannel } from './closedChannel.ts';

/** Why channels are built anew; label of the metric `resets_total`. */
export type ResetReason =
  | 'transaction_lost'
  | 'channel_timed_out'
  | 'safe_head_stalled'
  | 'l2_reorg'
  | 'safe_head_went_back';

/**
 * What becomes of a channel with these L1 transactions. It is done when they are confirmed and the safe head is past it; it has
 * failed when it never will be: frames too far apart, a frame that can't land, or a safe head that stays where it is although
 * derivation has read them all.
 */
export const channelFate = (facts: {
  channel: ClosedChannel;
  /** In order; undefined for those not submitted yet. */
  transactions: readonly (TrackedTx | undefined)[];
  safe: BlockId;
  l1: { head: bigint; derivedL1: bigint | undefined };
  config: RollupConfig;
  /** L1 blocks. */
  patience: bigint;
}): 'pending' | 'done' | ResetReason => {
  const { channel, transactions, safe, l1, config, patience } = facts;
  const isSafe = safe.number >= channel.last.number;
  const isLost = transactions.some((tx) => tx?.state === 'lost');
  const areConfirmed = transactions.every((tx) => tx?.state === 'confirmed');
  if (isSafe) return areConfirmed || isLost ? 'done' : 'pending';
  if (isLost) return 'transaction_lost';
  const blocks = transactions.flatMap((tx) => (tx?.inclusion ? [tx.inclusion.block.number] : []));
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return 'pending';
  const end = blocks.length === transactions.length ? last : l1.head;
  const timestamp = config.genesis.l2Time + channel.last.number * config.blockTime;
  if (end > first + channelTimeout(config, timestamp)) return 'channel_timed_out';
  if (!areConfirmed) return 'pending';
  const isRead = l1.derivedL1 === undefined ? l1.head >= last + patience : l1.derivedL1 >= last;
  return isRead ? 'safe_head_stalled' : 'pending';
};
