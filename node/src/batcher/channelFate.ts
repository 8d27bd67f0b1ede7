import type { BlockId, RollupConfig } from '@openledger/chain-config';
import { channelTimeout } from '@openledger/chain-config';
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
 * What becomes of a channel with these L1 transactions. It is done when they are confirmed and the safe head is past it. It has
 * failed when its frames are too far apart or one can't land; and when the safe head stays where it is although they are all
 * confirmed, which is for the caller to see.
 */
export const channelFate = (facts: {
  channel: ClosedChannel;
  /** In order; undefined for those not submitted yet. */
  transactions: readonly (TrackedTx | undefined)[];
  safe: BlockId;
  l1Head: bigint;
  config: RollupConfig;
}): 'pending' | 'done' | ResetReason => {
  const { channel, transactions, safe, l1Head, config } = facts;
  const isSafe = safe.number >= channel.last.number;
  const isLost = transactions.some((tx) => tx?.state === 'lost');
  const areConfirmed = transactions.every((tx) => tx?.state === 'confirmed');
  if (isSafe) return areConfirmed || isLost ? 'done' : 'pending';
  if (isLost) return 'transaction_lost';
  const blocks = transactions.flatMap((tx) => (tx?.inclusion ? [tx.inclusion.block.number] : []));
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return 'pending';
  const end = blocks.length === transactions.length ? last : l1Head;
  const timestamp = config.genesis.l2Time + channel.last.number * config.blockTime;
  if (end > first + channelTimeout(config, timestamp)) return 'channel_timed_out';
  return areConfirmed ? 'safe_head_stalled' : 'pending';
};
