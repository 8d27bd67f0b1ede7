import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/database/database.ts';
import { migrate } from '../src/migrate.ts';
import { viewHash } from '../src/viewHash.ts';
import { viewTables } from '../src/views/tables.ts';
import { emptyViews, project, Random, TestChain, testDatabases } from './support/index.ts';

type Step = { kind: 'mine'; blocks: number } | { kind: 'reorg'; depth: number } | { kind: 'project' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reorg' as const), depth: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('project' as const) }) },
);

describe.each(testDatabases)('reorgs on $name', ({ name, open }) => {
  let incremental: Database;
  let fresh: Database;
  beforeAll(async () => {
    [incremental, fresh] = [await open(), await open()];
    await migrate(incremental);
    await migrate(fresh);
  });
  afterAll(async () => {
    await incremental.close();
    await fresh.close();
  });

  it('leave the views as if the abandoned blocks had never been, whatever the batches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 5, maxLength: 25 }), async (seed, steps) => {
        await emptyViews(incremental);
        await emptyViews(fresh);
        const chain = await TestChain.open(seed);
        const sizes = new Random(seed + 1);
        const batch = () => 1 + sizes.below(7);
        await chain.mineMany(10, 5);
        for (const { kind, ...how } of steps) {
          if (kind === 'mine') await chain.mineMany((how as { blocks: number }).blocks, 4);
          else if (kind === 'reorg') await chain.reorg((how as { depth: number }).depth);
          else await project(chain.log, incremental, { batch });
        }
        await project(chain.log, incremental, { batch });

        // The canonical chain only, told to an empty database by a log that never saw a reorg.
        const straight = await TestChain.replay(chain.blocks);
        await project(straight.log, fresh);
        expect(await viewHash(incremental)).toBe(await viewHash(fresh));
      }),
      { numRuns: name === 'PGlite' ? 10 : 6 },
    );
  }, 120_000);

  it('were tested on every view table', async () => {
    await emptyViews(fresh);
    const chain = await TestChain.open(3);
    await chain.mineMany(120, 6);
    await project(chain.log, fresh);
    for (const table of Object.keys(viewTables)) {
      const [row] = await fresh.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`);
      expect([table, (row?.n ?? 0) > 0]).toEqual([table, true]);
    }
  });
});
