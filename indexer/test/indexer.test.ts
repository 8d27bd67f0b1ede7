import { encodePages } from '@openledger/contracts';
import type { EventReader } from '@openledger/event-log';
import { silentLogger } from '@openledger/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { ensureCheckpoint, loadCheckpoint, saveCheckpoint } from '../src/checkpoint.ts';
import type { Database } from '../src/database/database.ts';
import { createIndexer, type Indexer, type IndexerOptions } from '../src/indexer.ts';
import { migrate } from '../src/migrate.ts';
import { rebuild } from '../src/rebuild.ts';
import { readStatus } from '../src/status.ts';
import { viewHash } from '../src/viewHash.ts';
import { TestChain, testDatabases } from './support/index.ts';

/** For machines that have other things to do as well. */
const patience = { timeout: 20_000 };

describe.each(testDatabases)('indexer on $name', ({ open }) => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const openDatabase = async (): Promise<Database> => {
    const database = await open();
    closers.push(() => database.close());
    return database;
  };
  const start = (reader: EventReader, database: Database, options: Partial<IndexerOptions> = {}): Indexer => {
    const { signal } = new AbortController();
    const indexer = createIndexer({ reader, database, log: silentLogger, signal, heartbeatMs: 100, ...options });
    closers.push(() => indexer.close());
    return indexer;
  };
  const caughtUp = async (indexer: Indexer, chain: TestChain) =>
    indexer.reached((await chain.log.head())?.nextSeq ?? 0);
  const failure = (indexer: Indexer) => indexer.done.catch((error: { code: string }) => error.code);

  it('shows after reorgs exactly what a rebuild shows', async () => {
    const [chain, database] = [await TestChain.open(7), await openDatabase()];
    await chain.mineMany(40);
    const indexer = start(chain.log, database, { batch: { entries: 6 } });
    await caughtUp(indexer, chain);
    for (const depth of [1, 3, 9, 20, 2]) {
      await chain.reorg(depth);
      await chain.mineMany(8);
      await caughtUp(indexer, chain);
    }
    const incremental = await viewHash(database);
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(incremental);

    // The indexer that was running meanwhile goes on from the rebuilt views.
    await chain.reorg(2);
    await chain.mineMany(5);
    await caughtUp(indexer, chain);
    expect(indexer.state().status).toBe('following');
    const following = await viewHash(database);
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(following);
    expect(following).not.toBe(incremental);
  });

  it('goes on where it stopped and tells where it is', async () => {
    const [chain, database] = [await TestChain.open(2), await openDatabase()];
    await chain.mineMany(5);
    const first = start(chain.log, database);
    await caughtUp(first, chain);
    await first.close();
    expect(first.state().status).toBe('stopped');
    await chain.mineMany(5);
    const second = start(chain.log, database);
    await caughtUp(second, chain);
    expect(second.state()).toMatchObject({ seq: 10, block: 9n, lag: 0, lastError: null });
    await expect
      .poll(() => readStatus(database))
      .toMatchObject({ seq: 10, blockNumber: 9, feedSeq: 10, lastError: null });
  });

  it('keeps two chains in one database apart', async () => {
    const one = await openDatabase();
    const two = one.scoped({ schema: `${one.schema}_other` });
    closers.push(() => two.execute(`DROP SCHEMA "${two.schema}" CASCADE`));
    const [left, right] = [await TestChain.open(21), await TestChain.open(22)];
    await left.mineMany(12, 4);
    await right.mineMany(7, 4);
    const indexers = [start(left.log, one), start(right.log, two)];
    await Promise.all([caughtUp(indexers[0]!, left), caughtUp(indexers[1]!, right)]);
    const count = (database: Database) => database.query<{ n: number }>('SELECT count(*) AS n FROM blocks');
    expect([await count(one), await count(two)]).toEqual([[{ n: 12 }], [{ n: 7 }]]);
    expect(await viewHash(one)).not.toBe(await viewHash(two));
    await indexers[1]!.close();
  });

  it('lets two indexers of one chain write each entry once', async () => {
    const [chain, database] = [await TestChain.open(4), await openDatabase()];
    const indexers = [start(chain.log, database), start(chain.log, database)];
    for (let round = 0; round < 5; round++) {
      await chain.mineMany(3);
      if (round === 3) await chain.reorg(4);
    }
    await chain.mine();
    await Promise.all(indexers.map((indexer) => caughtUp(indexer, chain)));
    const both = await viewHash(database);
    for (const indexer of indexers) await indexer.close();
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(both);
  });

  it('takes no checkpoint back that another indexer writes while it starts', async () => {
    const database = await openDatabase();
    await migrate(database);
    let starting: Promise<void> | undefined;
    await database.transaction(async (tx) => {
      await saveCheckpoint(tx, { seq: 17, block: null });
      starting = ensureCheckpoint(database);
      // On a server it is at work by now, and waits for this transaction; the embedded database lets it begin afterwards.
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    await starting;
    expect(await loadCheckpoint(database)).toEqual({ seq: 17, block: null });
  });

  it('rolls a failing batch back as a whole, shows the error, and gets over it', async () => {
    const [chain, database] = [await TestChain.open(9), await openDatabase()];
    await chain.mineMany(10, 4);
    // The first attempts break at the 1st, 4th, 7th and 10th bulk statement.
    let attempts = 0;
    const failing: Database = {
      ...database,
      transaction: (run) =>
        database.transaction((tx) => {
          let left = 3 * attempts++ + 1;
          return run({
            ...tx,
            query: (sql, values) =>
              attempts <= 4 && sql.includes('json_populate_recordset') && --left === 0
                ? Promise.reject(new Error('the connection broke'))
                : tx.query(sql, values),
          });
        }),
    };
    const indexer = start(chain.log, failing, { batch: { entries: 3 } });
    await expect
      .poll(() => indexer.state(), patience)
      .toMatchObject({
        status: 'retrying',
        lastError: { message: 'the connection broke' },
      });
    await caughtUp(indexer, chain);
    const survived = await viewHash(database);
    await indexer.close();
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(survived);
  });

  it('shows that the feed has gone away', async () => {
    const [chain, database] = [await TestChain.open(3), await openDatabase()];
    await chain.mineMany(3);
    let gone = false;
    const reader: EventReader = {
      head: () => (gone ? Promise.reject(new Error('nobody there')) : chain.log.head()),
      read: (from, options) => chain.log.read(from, options),
      follow: (from, options) => chain.log.follow(from, options),
    };
    const indexer = start(reader, database);
    await caughtUp(indexer, chain);
    gone = true;
    await expect.poll(() => indexer.state().feedError, patience).toBe('nobody there');
    await expect.poll(() => readStatus(database), patience).toMatchObject({ lastError: 'nobody there' });
    gone = false;
    await expect.poll(() => readStatus(database), patience).toMatchObject({ lastError: null });
  });

  it('asks for a rebuild when the feed is of another chain', async () => {
    const [chain, other, database] = [await TestChain.open(1), await TestChain.open(2), await openDatabase()];
    await chain.mineMany(6, 2);
    await other.mineMany(9, 3);
    const first = start(chain.log, database);
    await caughtUp(first, chain);
    await first.close();
    const second = start(other.log, database);
    expect(await failure(second)).toBe('INDEXER_CHECKPOINT_UNKNOWN');
    expect(second.state()).toMatchObject({ status: 'failed', lastError: { code: 'INDEXER_CHECKPOINT_UNKNOWN' } });
    expect((await readStatus(database))?.lastError).toContain('INDEXER_CHECKPOINT_UNKNOWN');

    await rebuild({ reader: other.log, database, log: silentLogger });
    const third = start(other.log, database);
    await caughtUp(third, other);
    await other.mine();
    await caughtUp(third, other);
    expect(third.state()).toMatchObject({ status: 'following', block: 9n });
  });

  it('asks for a rebuild when the feed is shorter than the views', async () => {
    const [chain, database] = [await TestChain.open(1), await openDatabase()];
    await chain.mineMany(6);
    const first = start(chain.log, database);
    await caughtUp(first, chain);
    await first.close();
    const shorter = await TestChain.replay(chain.blocks.slice(0, 3));
    expect(await failure(start(shorter.log, database))).toBe('INDEXER_CHECKPOINT_UNKNOWN');
  });

  it('asks for a rebuild when a reorg goes below what it kept', async () => {
    const [chain, database] = [await TestChain.open(5), await openDatabase()];
    await chain.mineMany(20);
    const indexer = start(chain.log, database, { reorgDepth: 4, batch: { entries: 2 } });
    await caughtUp(indexer, chain);
    await chain.reorg(3);
    await chain.mineMany(3);
    await caughtUp(indexer, chain);
    expect(indexer.state().status).toBe('following');
    await chain.reorg(15);
    await chain.mine();
    expect(await failure(indexer)).toBe('INDEXER_REORG_TOO_DEEP');
  });

  it('prunes history below the depth, and only that', async () => {
    const [chain, database] = [await TestChain.open(6), await openDatabase()];
    const indexer = start(chain.log, database, { reorgDepth: 30, batch: { entries: 3 } });
    for (let block = 0; block < 300; block++) await chain.mine(block % 10 === 0 ? 2 : 0);
    await caughtUp(indexer, chain);
    const [row] = await database.query<{ oldest: number; kept: number }>(
      'SELECT min(block_number) AS oldest, count(*) AS kept FROM savepoints',
    );
    expect(row?.oldest).toBeGreaterThan(200);
    await chain.reorg(29);
    await chain.mineMany(3, 2);
    await caughtUp(indexer, chain);
    const unwound = await viewHash(database);
    await indexer.close();
    await rebuild({ reader: chain.log, database, log: silentLogger });
    expect(await viewHash(database)).toBe(unwound);
  });

  it('stops with a reason at a value that it does not know', async () => {
    const [chain, database] = [await TestChain.open(8), await openDatabase()];
    const owner = `0x${'1'.repeat(40)}` as const;
    await chain.mineEvents([
      { type: 'DatanetCreated', args: { datanetId: 1n, owner, modality: 9, name: 'video', description: '' } },
    ]);
    const indexer = start(chain.log, database);
    expect(await failure(indexer)).toBe('INDEXER_UNKNOWN_VALUE');
    expect(indexer.state()).toMatchObject({ status: 'failed', seq: 0 });
  });

  it('stores text that PostgreSQL has no room for', async () => {
    const [chain, database] = [await TestChain.open(8), await openDatabase()];
    const owner = `0x${'1'.repeat(40)}` as const;
    const names = { name: 'a\0b', description: 'half \udc00 pair, \u{1f600} whole' };
    await chain.mineEvents([{ type: 'DatanetCreated', args: { datanetId: 1n, owner, modality: 0, ...names } }]);
    await caughtUp(start(chain.log, database), chain);
    const [row] = await database.query('SELECT name, description FROM datanets');
    expect(row).toEqual({ name: 'a\uFFFDb', description: expect.stringMatching(/^half .+ pair, \u{1f600} whole$/u) });
  });

  it('counts an attribution only for a contribution that was there before it', async () => {
    const [chain, database] = [await TestChain.open(8), await openDatabase()];
    const runner = `0x${'1'.repeat(40)}` as const;
    const hash = (digit: string) => `0x${digit.repeat(64)}` as const;
    const batch = { batchIndex: 0n, runner, pageCount: 1, pagesRoot: hash('1'), settlementsHash: hash('0') };
    const [data] = encodePages([
      {
        ...{ modelId: 1n, sourceKind: 2, sourceId: 1n, method: 2, nonce: 0n, feeWeight: 1n },
        ...{ promptHash: hash('4'), outputHash: hash('5'), promptTokens: 1, outputTokens: 1 },
        rows: [{ contributionId: 7n, weight: 1n }],
      },
    ]) as [Uint8Array];
    const file = { contributionId: 7n, datanetId: 1n, contributor: runner, contentHash: hash('6') };
    await chain.mineEvents([
      { type: 'BatchAppended', args: { ...batch, head: hash('2') } },
      { type: 'PageRecorded', args: { batchIndex: 0n, page: 0, data } },
    ]);
    await chain.mineEvents([
      { type: 'ContributionSubmitted', args: { ...file, format: 0, size: 1, fileName: 'late.md' } },
    ]);
    await caughtUp(start(chain.log, database), chain);
    expect(await database.query('SELECT contribution_id, contributor FROM attributions')).toEqual([
      { contribution_id: '7', contributor: null },
    ]);
  });
});
