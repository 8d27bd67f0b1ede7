import type { ChainEvent } from '@openledger/event-log';
import type { Hex } from 'viem';
import type { Block } from '../primitives/block.ts';
import { ZERO_HASH } from '../primitives/header.ts';
import type { StateDiff } from '../state/stateChanges.ts';
import type { PendingState } from './pendingState.ts';

/**
 * A block that is still being built, after one of its flashblocks. Its hash and roots are zero; transactions and receipts are
 * what the sealed block will begin with.
 */
export type PendingBlock = Block & { readonly state: PendingState };

export const isPending = (block: Block): block is PendingBlock => block.hash === ZERO_HASH && 'state' in block;

/** What one interval added to the open block. */
export type Flashblock = {
  /** Of the block under construction, 8 bytes; another build of the same block has another one. */
  readonly payloadId: Hex;
  /** Within the block; 0 has the deposits. */
  readonly index: number;
  /** The whole of the open block after this flashblock. */
  readonly block: PendingBlock;
  /** Index in the block of the first transaction that is new. */
  readonly from: number;
  /** Domain events of the new transactions, with their places in the block. */
  readonly events: readonly ChainEvent[];
  /** What the new transactions wrote. */
  readonly diff: StateDiff;
};
