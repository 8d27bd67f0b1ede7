import type { BlockId } from '@openledger/chain-config';
import type { Block } from '../primitives/block.ts';

/**
 * What a stage answers when it has nothing to give: it went a bit further and should be asked again, or everything behind it is
 * drained until L1 traversal moves on. Errors are for what goes wrong, and carry how they are handled.
 */
export type Pending = 'not-enough-data' | 'end-of-source';

export const isPending = (value: unknown): value is Pending => value === 'not-enough-data' || value === 'end-of-source';

/** The L2 block that the next one is derived on, as far as the rules for batches look at it. */
export type L2Parent = BlockId & { readonly timestamp: bigint; readonly l1Origin: BlockId };

export const parentOf = (block: Block): L2Parent => ({
  hash: block.hash,
  number: block.header.number,
  timestamp: block.header.timestamp,
  l1Origin: block.l1Origin,
});

/** The L2 chain up to the parent, which span batches may overlap. */
export type SafeChain = { blockByNumber(number: bigint): Promise<Block | undefined> };
