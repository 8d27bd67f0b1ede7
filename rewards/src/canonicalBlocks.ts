import type { BlockEntry, EventReader } from '@openledger/event-log';

/** Blocks of the log in order, up to `toBlock`, with what a reorg took back left out. */
export const canonicalBlocks = async (reader: EventReader, toBlock?: bigint): Promise<BlockEntry[]> => {
  const blocks: BlockEntry[] = [];
  for await (const entry of reader.read(0)) {
    if (entry.kind === 'revert') {
      while ((blocks.at(-1)?.number ?? -1n) > entry.to.number) blocks.pop();
    } else if (toBlock === undefined || entry.number <= toBlock) blocks.push(entry);
  }
  return blocks;
};
