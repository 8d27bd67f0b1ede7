import type { LogEntry } from '@openledger/event-log';
import { describe, expect, it } from 'vitest';
import { entryBatches } from '../src/entryBatches.ts';
import { TestChain } from './support/index.ts';

const collect = async (batches: AsyncIterable<LogEntry[]>): Promise<LogEntry[][]> => {
  const all: LogEntry[][] = [];
  for await (const batch of batches) all.push(batch);
  return all;
};

describe('entryBatches', () => {
  it('keeps the order and the limits', async () => {
    const chain = await TestChain.open(3);
    await chain.mineMany(50, 2);
    const limits = { entries: 7, events: 1_000 };
    const batches = await collect(entryBatches((signal) => chain.log.read(0, { signal }), limits));
    expect(batches.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, seq) => seq));
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(7);
  });

  it('gives out single entries at the head, without waiting for more', async () => {
    const chain = await TestChain.open(3);
    const abort = new AbortController();
    const limits = { entries: 100, events: 1_000 };
    const batches = entryBatches((signal) => chain.log.follow(0, { signal }), limits, abort.signal);
    const iterator = batches[Symbol.asyncIterator]();
    for (let block = 0; block < 3; block++) {
      await chain.mine();
      const { value } = await iterator.next();
      expect(value.map(({ seq }: LogEntry) => seq)).toEqual([block]);
    }
    abort.abort();
    expect((await iterator.next()).done).toBe(true);
  });

  it('lets its consumer leave while the stream waits', async () => {
    const chain = await TestChain.open(3);
    await chain.mine();
    for await (const batch of entryBatches((signal) => chain.log.follow(0, { signal }), { entries: 9, events: 9 })) {
      expect(batch.length).toBe(1);
      break;
    }
  });

  it('hands out what came before an error, then the error', async () => {
    const chain = await TestChain.open(3);
    await chain.mineMany(3);
    async function* broken(signal: AbortSignal): AsyncIterable<LogEntry> {
      yield* chain.log.read(0, { signal });
      throw new Error('gone');
    }
    const seen: number[] = [];
    const reading = (async () => {
      for await (const batch of entryBatches(broken, { entries: 2, events: 99 })) seen.push(...batch.map((e) => e.seq));
    })();
    await expect(reading).rejects.toThrow('gone');
    expect(seen).toEqual([0, 1, 2]);
  });
});
