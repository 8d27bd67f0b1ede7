import { createMetrics, silentLogger } from '@openledger/kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeL1Pool } from '../../test/support/fakeL1Pool.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { batcherConfig, ScriptedL2 } from '../../test/support/scriptedL2.ts';
import { wallet } from '../../test/support/wallets.ts';
import { Batcher } from './batcher.ts';

const signer = wallet('batcher');
const NORMAL = { baseFee: 10n ** 9n, tip: 10n ** 9n, blobBaseFee: 1n };

const happenings = [
  'turn',
  'turn',
  'turn',
  'grow',
  'grow',
  'restart',
  'l1 reorg',
  'l2 reorg',
  'dropped',
  'dear',
  'cheap',
  'poor',
  'rich',
] as const;

it('whatever happens on the way, every block becomes safe and no nonce is left out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...happenings), fc.integer({ min: 1, max: 4 })), {
        maxLength: 60,
        size: 'max',
      }),
      async (story) => {
        const l1 = new FakeL1Pool();
        const l2 = new ScriptedL2(batcherConfig(signer.address));
        const db = openMemoryDb();
        const open = () =>
          Batcher.open({
            ...{ source: l2, l1, signer, config: l2.config, db, log: silentLogger, metrics: createMetrics('b') },
            options: { maxL1TxSize: 600, dataAvailability: 'calldata', maxChannelDuration: 1n },
            transactions: { confirmations: 3, resubmitAfter: 2, maxPending: 3 },
          });
        let batcher = await open();
        const turn = async () => {
          l1.mine();
          l2.derive(l1.included);
          l2.l1Read = l1.latest.number;
          await batcher.step();
        };
        for (const [happening, amount] of story) {
          if (happening === 'turn') await turn();
          if (happening === 'grow') await l2.grow(amount);
          if (happening === 'restart') batcher = await open();
          if (happening === 'l1 reorg') l1.reorg(Math.min(amount, l1.blocks.length - 1));
          if (happening === 'l2 reorg') l2.reorgTo(l2.safe.number);
          if (happening === 'dropped') l1.pool.clear();
          if (happening === 'dear') l1.current = { ...NORMAL, baseFee: 10n ** 11n };
          if (happening === 'cheap') l1.current = NORMAL;
          if (happening === 'poor') l1.funds = 0n;
          if (happening === 'rich') l1.funds = 10n ** 20n;
        }
        l1.current = NORMAL;
        l1.funds = 10n ** 20n;
        const { number } = (await l2.heads()).unsafe;
        for (let i = 0; i < 80; i++) {
          if (l2.safe.number === number && (await db.keys().all()).length === 0) break;
          await turn();
        }
        expect(l2.safe.number).toBe(number);
        expect(await db.keys().all()).toEqual([]);
        expect(l1.included.map(({ nonce }) => nonce)).toEqual(l1.included.map((_, index) => BigInt(index)));
      },
    ),
    { numRuns: 60 },
  );
});
