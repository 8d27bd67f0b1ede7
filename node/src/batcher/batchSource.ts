import type { BlockId } from '@openledger/chain-config';
import type { Hex } from 'viem';
import type { ChannelBlock } from '../channels/channelOut.ts';
import type { Engine } from '../engine/engine.ts';
import type { Block } from '../primitives/block.ts';

/** An L2 block as the batcher puts it into a channel. */
export type BatchableBlock = BlockId & ChannelBlock;

/** What the batcher asks of the L2 node beside it. */
export type BatchSource = {
  heads(): Promise<{ readonly safe: BlockId; readonly unsafe: BlockId }>;
  /** Canonical, on the unsafe chain. */
  blockByNumber(number: bigint): Promise<BatchableBlock | undefined>;
  /** The newest L1 block that derivation is through with: the safe head has all that is in it. Absent where nobody knows. */
  derivedL1?(): Promise<bigint | undefined>;
};

const toBatchable = (block: Block): BatchableBlock => ({
  hash: block.hash,
  number: block.header.number,
  parentHash: block.header.parentHash,
  timestamp: block.header.timestamp,
  epoch: block.l1Origin,
  sequenceNumber: block.sequenceNumber,
  transactions: block.transactions.flatMap((tx): Hex[] => (tx.kind === 'signed' ? [tx.raw] : [])),
});

/** The engine of the same process. */
export const engineBatchSource = (
  engine: Pick<Engine, 'heads' | 'chain'>,
  derivedL1?: () => Promise<bigint | undefined>,
): BatchSource => ({
  heads: async () => engine.heads,
  blockByNumber: async (number) => {
    const block = await engine.chain.blockByNumber(number);
    return block && toBatchable(block);
  },
  ...(derivedL1 ? { derivedL1 } : {}),
});
