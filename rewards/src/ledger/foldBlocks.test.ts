import type { BlockEntry, EventReader, LogEntry } from '@openledger/event-log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldBlocks } from './foldBlocks.ts';

/** A log of blocks and reorgs; what is canonical at its end stands beside it. */
const play = (steps: readonly { blocks: number; back: number }[]) => {
  const entries: LogEntry[] = [];
  let canonical: BlockEntry[] = [];
  for (const { blocks, back } of steps) {
    for (let i = 0; i < blocks; i++) {
      const block = { kind: 'block', seq: entries.length, number: BigInt(canonical.length), events: [] };
      entries.push(block as unknown as LogEntry);
      canonical.push(block as unknown as BlockEntry);
    }
    const to = canonical.at(-1 - Math.min(back, canonical.length - 1));
    if (back === 0 || !to || to === canonical.at(-1)) continue;
    canonical = canonical.slice(0, Number(to.number) + 1);
    entries.push({ kind: 'revert', seq: entries.length, to: { number: to.number } } as unknown as LogEntry);
  }
  const read = async function* (from: number) {
    yield* entries.slice(from);
  };
  return { reader: { read } as unknown as EventReader, canonical };
};

const folded = async (reader: EventReader, toBlock?: bigint) => {
  const { state, last } = await foldBlocks(reader, {
    ...(toBlock === undefined ? {} : { toBlock }),
    start: () => [] as number[],
    apply: (seen, { seq }) => {
      seen.push(seq);
    },
  });
  return { seen: state, last };
};

describe('foldBlocks', () => {
  it('folds what is canonical, each block once, however deep the reorgs are', async () => {
    const step = fc.record({ blocks: fc.integer({ min: 0, max: 150 }), back: fc.integer({ min: 0, max: 200 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(200), async (steps, limit) => {
        const { reader, canonical } = play(steps);
        const all = await folded(reader);
        expect(all.seen).toEqual(canonical.map(({ seq }) => seq));
        expect(all.last).toBe(canonical.at(-1));
        const part = await folded(reader, BigInt(limit));
        expect(part.seen).toEqual(canonical.filter(({ number }) => number <= limit).map(({ seq }) => seq));
      }),
      { numRuns: 200 },
    );
  });
});
