import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childOf, collect, commit, hashOf, transferred, type Writer, writerOf } from '../test/support/blocks.ts';
import { openDisk, openMemory } from '../test/support/stores.ts';
import { EventLog, type LevelDb } from './eventLog.ts';
import type { BlockEntry, BlockRef, LogEntry } from './types.ts';

const start = async (blocks = 0, fork = 'a'): Promise<Writer> => {
  const db = openMemory();
  const writer = writerOf(db, await EventLog.open(db));
  for (let i = 0; i < blocks; i++) await writer.append(fork);
  return writer;
};
const code = (name: string) => expect.objectContaining({ code: name });
const block = (entry: LogEntry | undefined): BlockEntry => {
  if (entry?.kind !== 'block') throw new Error('expected a block entry');
  return entry;
};
const ENTRY = 0x65;
const keysOf = (db: LevelDb, prefix: number) =>
  db.keys({ gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) }).all() as Promise<Uint8Array[]>;

describe('EventLog', () => {
  it('refuses a block that does not follow its head', async () => {
    const { log } = await start(2);
    expect(() => log.prepareBlock(childOf({ number: 0n, hash: hashOf('elsewhere') }))).toThrow(code('LOG_NOT_LINKED'));
  });

  it('changes nothing until the batch is committed', async () => {
    const { log, db } = await start(1);
    const before = await log.head();
    const prepared = log.prepareBlock(childOf(before));
    expect(await log.head()).toEqual(before);
    expect(await collect(log.read(0))).toHaveLength(1);
    await commit(db, log, prepared);
    expect(await log.head()).toMatchObject({ number: 1n, nextSeq: 2 });
  });

  it('is the same after it was closed and opened', async () => {
    const { db, close } = await openDisk();
    const writer = writerOf(db, await EventLog.open(db));
    for (let i = 0; i < 3; i++) await writer.append('a', [transferred(i)]);
    await db.close();
    await db.open();
    const reopened = await EventLog.open(db);
    expect(await reopened.head()).toEqual(await writer.log.head());
    expect(await collect(reopened.read(0))).toEqual(await collect(writer.log.read(0)));
    await close();
  });

  it('has the same log hash on two nodes with the same blocks, whatever each of them took back before', async () => {
    const one = await start(2);
    const two = await start(2);
    const ancestor = block((await collect(two.log.read(1)))[0]);
    for (const fork of ['x', 'y']) {
      await two.append(fork);
      await two.revertTo(ancestor);
    }
    for (const writer of [one, two]) await writer.append('a', [transferred(0)]);
    expect((await two.log.head())?.logHash).toBe((await one.log.head())?.logHash);
    expect((await two.log.head())?.nextSeq).not.toBe((await one.log.head())?.nextSeq);
  });

  it('tells two histories apart by the log hash, even when they end in equal events', async () => {
    const one = await start(1);
    const two = await start(1);
    await one.append('a', [transferred(0)]);
    await two.append('a', [transferred(1)]);
    expect((await two.log.head())?.hash).toBe((await one.log.head())?.hash);
    expect((await two.log.head())?.logHash).not.toBe((await one.log.head())?.logHash);
  });

  it('finds the entry of a block by its hash, reverted ones included', async () => {
    const { log, append, revertTo } = await start(1);
    const ancestor = block((await collect(log.read(0)))[0]);
    const taken = block(await append('b'));
    await revertTo(ancestor);
    expect(await log.entryOf(taken.hash)).toEqual(taken);
    expect(await log.entryOf(hashOf('never'))).toBeUndefined();
  });

  it('reverts only to an ancestor of its head', async () => {
    const { log, append, revertTo } = await start(2);
    const ancestor = block((await collect(log.read(1)))[0]);
    const sibling = block(await append('b'));
    await revertTo(ancestor);
    await append('c');
    await expect(log.prepareRevert(sibling)).rejects.toEqual(code('LOG_NOT_LINKED'));
    await expect(log.prepareRevert({ number: 1n, hash: hashOf('x') })).rejects.toEqual(code('LOG_POSITION_UNKNOWN'));
    await expect((await start()).log.prepareRevert(ancestor)).rejects.toEqual(code('LOG_POSITION_UNKNOWN'));
  });

  it('leaves nothing behind when a follower goes away', async () => {
    const { log } = await start(1);
    const abort = new AbortController();
    let added = 0;
    const listen = abort.signal.addEventListener.bind(abort.signal);
    const unlisten = abort.signal.removeEventListener.bind(abort.signal);
    abort.signal.addEventListener = (...args: Parameters<typeof listen>) => {
      added++;
      listen(...args);
    };
    abort.signal.removeEventListener = (...args: Parameters<typeof unlisten>) => {
      added--;
      unlisten(...args);
    };
    for (let i = 0; i < 5; i++) await collect(log.follow(0, { signal: abort.signal }), 1);
    expect(added).toBe(0);
  });
});

describe('a damaged log', () => {
  it('is not opened when its tail was cut off', async () => {
    const { db } = await start(3);
    await db.del((await keysOf(db, ENTRY)).at(-1) as Uint8Array);
    await expect(EventLog.open(db)).rejects.toEqual(code('LOG_CORRUPT'));
  });

  it('is not opened when the last entry is another one than the head says', async () => {
    const { db } = await start(3);
    const other = await start(3, 'b');
    const key = (await keysOf(db, ENTRY)).at(-1) as Uint8Array;
    await db.put(key, (await other.db.get(key)) as Uint8Array);
    await expect(EventLog.open(db)).rejects.toEqual(code('LOG_CORRUPT'));
  });

  it('says so when an entry is not decodable', async () => {
    const { db, log } = await start(3);
    await db.put((await keysOf(db, ENTRY))[1] as Uint8Array, Uint8Array.of(1, 2, 3));
    expect(await collect(log.read(0, { limit: 1 }))).toHaveLength(1);
    await expect(collect(log.read(0))).rejects.toEqual(code('LOG_CORRUPT'));
  });

  it.each([0, 1, 2])('says so when entry %s of 3 is missing', async (missing) => {
    const { db, log } = await start(3);
    await db.del((await keysOf(db, ENTRY))[missing] as Uint8Array);
    await expect(collect(log.read(0))).rejects.toEqual(code('LOG_CORRUPT'));
  });

  it('says so when a chunk of a big entry is missing', async () => {
    const { db, log, append } = await start(1);
    await append('a', [transferred(0, 'x'.repeat(2 << 20))]);
    const chunks = (await keysOf(db, ENTRY)).filter((key) => key[8] === 1);
    expect(chunks).toHaveLength(3);
    await db.del(chunks[1] as Uint8Array);
    await expect(collect(log.read(1))).rejects.toEqual(code('LOG_CORRUPT'));
  });
});

describe('against a model', () => {
  it('any sequence of appends and reverts leaves the chain that the model has', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ append: fc.constantFrom('a', 'b') }) },
      { weight: 1, arbitrary: fc.record({ depth: fc.nat({ max: 5 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const writer = await start(1);
        const canonical: BlockRef[] = [block((await collect(writer.log.read(0)))[0])];
        let entries = 1;
        for (const action of steps) {
          entries++;
          if ('append' in action) {
            // The position makes a block on the same parent a new one.
            canonical.push(block(await writer.append(`${action.append}${entries}`)));
          } else {
            canonical.length = Math.max(1, canonical.length - action.depth);
            await writer.revertTo(canonical.at(-1) as BlockRef);
          }
        }
        const reopened = await EventLog.open(writer.db);
        const folded: BlockEntry[] = [];
        for await (const entry of reopened.read(0)) {
          if (entry.kind === 'block') folded.push(entry);
          else folded.length = folded.findIndex((b) => b.hash === entry.to.hash) + 1;
        }
        expect(folded.map((b) => b.hash)).toEqual(canonical.map((b) => b.hash));
        expect(await reopened.head()).toMatchObject({ hash: canonical.at(-1)?.hash, nextSeq: entries });
        // A node that only ever saw the surviving blocks has the same log hash.
        const straight = await start();
        for (const { seq: _seq, kind: _kind, logHash: _logHash, ...plain } of folded) {
          await commit(straight.db, straight.log, straight.log.prepareBlock(plain));
        }
        expect((await straight.log.head())?.logHash).toBe((await reopened.head())?.logHash);
      }),
      { numRuns: 40 },
    );
  });
});
