import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/database/database.ts';
import { migrate } from '../src/migrate.ts';
import { contributors, emptyViews, openTestDatabase, project, TestChain } from './support/index.ts';

type Decision = { contributor: number; score: number; accepted: boolean };

const decision = fc.record({
  contributor: fc.integer({ min: 0, max: 3 }),
  // Few different scores, so that sums tie and the later criteria decide.
  score: fc.integer({ min: 1, max: 3 }),
  accepted: fc.boolean(),
});

describe('rank', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openTestDatabase();
    await migrate(database);
  });
  afterAll(() => database.close());

  const ranking = async (): Promise<string[]> => {
    const rows = await database.query<{ contributor: string }>(
      'SELECT contributor FROM contributors WHERE accepted > 0 ORDER BY score_sum DESC, active_days DESC, came_first, contributor',
    );
    return rows.map(({ contributor }) => contributor);
  };

  const give = async (chain: TestChain, id: bigint, { contributor: who, score, accepted }: Decision) => {
    const contributor = contributors[who]!;
    const file = { contributionId: id, datanetId: 1n, contributor };
    const hash = `0x${id.toString(16).padStart(64, '0')}` as const;
    await chain.mineEvents([
      { type: 'ContributionSubmitted', args: { ...file, contentHash: hash, format: 0, size: 1, fileName: 'a.md' } },
    ]);
    const reviewer = contributor;
    await chain.mineEvents([
      accepted
        ? {
            type: 'ContributionAccepted',
            args: { ...file, reviewer, score, leafIndex: Number(id), leaf: hash, duplicateOf: 0n },
          }
        : { type: 'ContributionRejected', args: { ...file, reviewer, reason: 'off topic' } },
    ]);
    await project(chain.log, database);
  };

  it('is never lowered by a rejected file, nor raised', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(decision, { minLength: 6, maxLength: 12 }), async (decisions) => {
        await emptyViews(database);
        const chain = await TestChain.open();
        for (const [index, given] of decisions.entries()) {
          const before = await ranking();
          await give(chain, BigInt(index + 1), given);
          const after = await ranking();
          if (!given.accepted) expect(after).toEqual(before);
          const who = contributors[given.contributor]!;
          // An accepted file never lowers the rank of its own contributor.
          if (before.includes(who)) expect(after.indexOf(who)).toBeLessThanOrEqual(before.indexOf(who));
        }
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it('goes by score sum, then active days, then who came first', async () => {
    await emptyViews(database);
    const chain = await TestChain.open();
    let id = 0n;
    const accept = (contributor: number, score: number) => give(chain, ++id, { contributor, score, accepted: true });
    // Blocks are two hours apart and the second one is the first of a UTC day.
    await chain.mine(0);
    await accept(0, 2);
    await accept(1, 1);
    await chain.mineMany(10, 0);
    await accept(1, 1);
    await accept(2, 2);
    await give(chain, ++id, { contributor: 3, score: 1, accepted: false });
    const rows = await database.query<{ contributor: `0x${string}`; score_sum: number; active_days: number }>(
      'SELECT * FROM contributors ORDER BY score_sum DESC, active_days DESC, came_first, contributor',
    );
    const order = rows.map((row) => [contributors.indexOf(row.contributor), row.score_sum, row.active_days]);
    expect(order).toEqual([
      [1, 2, 2],
      [0, 2, 1],
      [2, 2, 1],
      [3, 0, 0],
    ]);
  });
});
