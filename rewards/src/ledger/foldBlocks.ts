import type { BlockEntry, EventReader } from '@openledger/event-log';

/** Blocks that are held back, so that a usual reorg takes back nothing that was folded. */
const HELD_BLOCKS = 64;

/**
 * Folds the log's blocks in order, up to `toBlock`, with what reorgs took back left out, and holds few of them at a time. A reorg
 * deeper than what is held starts the fold again, knowing which entries no longer count.
 */
export const foldBlocks = async <State>(
  reader: EventReader,
  options: {
    toBlock?: bigint;
    start: () => State;
    apply: (state: State, block: BlockEntry) => void | Promise<void>;
  },
): Promise<{ state: State; last: BlockEntry | undefined }> => {
  const dead: { from: number; to: number }[] = [];
  for (;;) {
    const result = await attempt(reader, options, dead);
    if ('state' in result) return result;
    dead.push(result);
  }
};

const attempt = async <State>(
  reader: EventReader,
  options: Parameters<typeof foldBlocks<State>>[1],
  dead: readonly { from: number; to: number }[],
): Promise<{ state: State; last: BlockEntry | undefined } | { from: number; to: number }> => {
  const state = options.start();
  const held: BlockEntry[] = [];
  /** Positions of the folded blocks, in order; the first one's number beside it. */
  const folded: number[] = [];
  let first = 0n;
  let last: BlockEntry | undefined;
  const fold = async (block: BlockEntry) => {
    if (folded.length === 0) first = block.number;
    await options.apply(state, block);
    folded.push(block.seq);
    last = block;
  };
  for await (const entry of reader.read(0)) {
    if (dead.some(({ from, to }) => entry.seq >= from && entry.seq <= to)) continue;
    if (entry.kind === 'revert') {
      while ((held.at(-1)?.number ?? -1n) > entry.to.number) held.pop();
      if (last && last.number > entry.to.number) {
        return { from: folded[Number(entry.to.number + 1n - first)] ?? folded[0] ?? 0, to: entry.seq };
      }
      continue;
    }
    if (options.toBlock !== undefined && entry.number > options.toBlock) continue;
    held.push(entry);
    if (held.length > HELD_BLOCKS) await fold(held.shift() as BlockEntry);
  }
  for (const block of held) await fold(block);
  return { state, last };
};
