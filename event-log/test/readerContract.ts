import { afterEach, describe, expect, it } from 'vitest';
import type { EventReader, LogEntry } from '../src/types.ts';
import { collect, transferred, type Writer } from './support/blocks.ts';

export type ReaderUnderTest = { readonly writer: Writer; readonly reader: EventReader; close(): Promise<void> };

/** Everything that a consumer may rely on, wherever the log is. `open` makes an empty log and a reader of it. */
export const describeEventReader = (name: string, open: () => Promise<ReaderUnderTest>): void => {
  describe(`an event reader: ${name}`, () => {
    const opened: ReaderUnderTest[] = [];
    const start = async (blocks = 0) => {
      const subject = await open();
      opened.push(subject);
      for (let i = 0; i < blocks; i++) await subject.writer.append();
      return subject;
    };
    afterEach(async () => {
      for (const subject of opened.splice(0)) await subject.close();
    });
    const numbers = (entries: LogEntry[]) =>
      entries.map((e) => (e.kind === 'block' ? Number(e.number) : `to ${e.to.number}`));

    it('of an empty log has no head and nothing to read', async () => {
      const { reader } = await start();
      expect(await reader.head()).toBeUndefined();
      expect(await collect(reader.read(0))).toEqual([]);
    });

    it('gives entries in order, with their positions and everything that was written', async () => {
      const { reader, writer } = await start(2);
      const third = await writer.append('a', [transferred(0)]);
      const entries = await collect(reader.read(0));
      expect(entries.map((entry) => entry.seq)).toEqual([0, 1, 2]);
      expect(entries[2]).toEqual(third);
      expect(await reader.head()).toMatchObject({ number: 2n, nextSeq: 3, hash: third.kind === 'block' && third.hash });
    });

    it('reads from a position, up to a limit, and ends at the head', async () => {
      const { reader } = await start(5);
      expect(numbers(await collect(reader.read(3)))).toEqual([3, 4]);
      expect(numbers(await collect(reader.read(1, { limit: 2 })))).toEqual([1, 2]);
      expect(await collect(reader.read(1, { limit: 0 }))).toEqual([]);
      expect(await collect(reader.read(5))).toEqual([]);
    });

    it.each([6, -1, 1.5, Number.NaN])('refuses position %s, which is not in the log', async (from) => {
      const { reader } = await start(5);
      const unknown = expect.objectContaining({ code: 'LOG_POSITION_UNKNOWN', handling: 'reset' });
      await expect(collect(reader.read(from))).rejects.toEqual(unknown);
      await expect(collect(reader.follow(from), 1)).rejects.toEqual(unknown);
    });

    it('follows: first what is there, then what comes', async () => {
      const { reader, writer } = await start(2);
      const seen: LogEntry[] = [];
      const following = (async () => {
        for await (const entry of reader.follow(1)) {
          seen.push(entry);
          if (seen.length === 1) await writer.append();
          if (seen.length === 2) await writer.append();
          if (seen.length === 3) return;
        }
      })();
      await following;
      expect(numbers(seen)).toEqual([1, 2, 3]);
    });

    it('follows across a revert, whose marker lists the blocks taken back, highest first', async () => {
      const { reader, writer } = await start(1);
      const ancestor = await writer.append();
      if (ancestor.kind !== 'block') throw new Error('expected a block');
      const taken = [await writer.append('b'), await writer.append('b')];
      const following = collect(reader.follow(2), 5);
      await writer.revertTo(ancestor);
      await writer.append('c');
      await writer.append('c');
      const entries = await following;
      expect(numbers(entries)).toEqual([2, 3, 'to 1', 2, 3]);
      const marker = entries[2];
      if (marker?.kind !== 'revert') throw new Error('expected a marker');
      expect(marker.to).toEqual({ number: 1n, hash: ancestor.hash, logHash: ancestor.logHash });
      expect(marker.reverted).toEqual(
        taken.reverse().map((e) => ({ number: e.kind === 'block' && e.number, hash: e.kind === 'block' && e.hash })),
      );
    });

    it('resumes where a consumer stopped', async () => {
      const { reader, writer } = await start(3);
      const [, last] = await collect(reader.follow(0), 2);
      await writer.append();
      expect(numbers(await collect(reader.follow((last?.seq ?? 0) + 1), 2))).toEqual([2, 3]);
    });

    it('stops following when it is told to, also while it waits', async () => {
      const { reader } = await start(1);
      const abort = new AbortController();
      const seen: LogEntry[] = [];
      for await (const entry of reader.follow(0, { signal: abort.signal })) {
        seen.push(entry);
        setImmediate(() => abort.abort());
      }
      expect(seen).toHaveLength(1);
      expect(await collect(reader.follow(0, { signal: abort.signal }))).toEqual([]);
    });

    it('serves several followers at once, each at its own pace', async () => {
      const { reader, writer } = await start(1);
      const all = Promise.all([0, 1, 0].map((from) => collect(reader.follow(from), 4 - from)));
      for (let i = 0; i < 3; i++) await writer.append();
      expect((await all).map(numbers)).toEqual([
        [0, 1, 2, 3],
        [1, 2, 3],
        [0, 1, 2, 3],
      ]);
    });

    it('carries an entry of several chunks unchanged', async () => {
      const { reader, writer } = await start(1);
      const events = Array.from({ length: 25 }, (_, i) => transferred(i, `${i % 10}`.repeat(90_000)));
      const big = await writer.append('a', events);
      await writer.append();
      const entries = await collect(reader.read(0));
      expect(entries).toHaveLength(3);
      expect(entries[1]).toEqual(big);
    });
  });
};
