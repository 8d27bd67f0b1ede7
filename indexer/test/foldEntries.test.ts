import type { BlockEntry, LogEntry } from '@openledger/event-log';
import { describe, expect, it } from 'vitest';
import { checkpointAfter, START } from '../src/checkpoint.ts';
import { foldEntries } from '../src/foldEntries.ts';
import { TestChain } from './support/index.ts';

const entriesOf = async (chain: TestChain): Promise<LogEntry[]> => {
  const entries: LogEntry[] = [];
  for await (const entry of chain.log.read(0)) entries.push(entry);
  return entries;
};
const numbers = (blocks: readonly BlockEntry[]): number[] => blocks.map(({ number }) => Number(number));

describe('foldEntries', () => {
  it('cancels blocks that a revert in the same batch takes back', async () => {
    const chain = await TestChain.open();
    await chain.mineMany(5);
    await chain.reorg(3);
    await chain.mineMany(2);
    const folded = foldEntries(START, await entriesOf(chain));
    expect(folded.unwindTo).toBeUndefined();
    expect(folded.blocks.map(({ hash }) => hash)).toEqual(chain.blocks.map(({ hash }) => hash));
  });

  it('tells the lowest block to unwind to', async () => {
    const chain = await TestChain.open();
    await chain.mineMany(8);
    await chain.reorg(2);
    await chain.mine();
    await chain.reorg(4);
    await chain.mineMany(2);
    const entries = await entriesOf(chain);
    const folded = foldEntries(checkpointAfter(entries[7]!), entries.slice(8));
    expect(folded.unwindTo?.number).toBe(2n);
    expect(numbers(folded.blocks)).toEqual([3, 4]);
  });

  it('takes a revert to where it already is', async () => {
    const chain = await TestChain.open();
    await chain.mineMany(4);
    await chain.reorg(0);
    await chain.mine();
    const entries = await entriesOf(chain);
    const folded = foldEntries(checkpointAfter(entries[3]!), entries.slice(4));
    expect(folded).toMatchObject({ unwindTo: undefined });
    expect(numbers(folded.blocks)).toEqual([4]);
  });

  it('refuses entries that do not continue the chain', async () => {
    const [ours, theirs] = [await TestChain.open(1), await TestChain.open(2)];
    await ours.mineMany(4);
    await theirs.mine();
    await theirs.mine();
    await theirs.reorg(1);
    await theirs.mineMany(6);
    const entries = await entriesOf(ours);
    const other = await entriesOf(theirs);
    const diverged = expect.objectContaining({ code: 'INDEXER_FEED_DIVERGED', handling: 'reset' });
    const attempt = (base: LogEntry, next: LogEntry[]) => () => foldEntries(checkpointAfter(base), next);
    expect(attempt(entries[1]!, [entries[3]!])).toThrow(diverged);
    expect(attempt(entries[1]!, [{ ...entries[3]!, seq: 2 }])).toThrow(diverged);
    expect(attempt(entries[1]!, [other[2]!])).not.toThrow();
    const foreign = { kind: 'revert' as const, seq: 2, reverted: [] };
    const to = { number: 1n, hash: `0x${'9'.repeat(64)}` as const, logHash: `0x${'9'.repeat(64)}` as const };
    expect(attempt(entries[1]!, [{ ...foreign, to }])).toThrow(diverged);
    expect(attempt(entries[1]!, [{ ...foreign, to: { ...to, number: 7n } }])).toThrow(diverged);
  });
});
