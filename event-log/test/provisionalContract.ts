import { afterEach, describe, expect, it } from 'vitest';
import type { FeedEntry, Hex, ProvisionalEntry, ProvisionalReader } from '../src/types.ts';
import { hashOf, transferred, type Writer } from './support/blocks.ts';

export type ProvisionalReaderUnderTest = {
  readonly writer: Writer;
  readonly reader: ProvisionalReader;
  close(): Promise<void>;
};

/** What a consumer of provisional entries may rely on, wherever the log is. */
export const describeProvisionalReader = (name: string, open: () => Promise<ProvisionalReaderUnderTest>): void => {
  describe(`a reader of provisional entries: ${name}`, () => {
    const opened: ProvisionalReaderUnderTest[] = [];
    const start = async (blocks: number) => {
      const subject = await open();
      opened.push(subject);
      for (let i = 0; i < blocks; i++) await subject.writer.append();
      const { log } = subject.writer;
      /** A flashblock on the log's head. */
      const publish = async (payloadId: Hex, index: number): Promise<ProvisionalEntry> => {
        const head = await log.head();
        if (!head) throw new Error('the log is empty');
        const entry: ProvisionalEntry = {
          kind: 'provisional',
          number: head.number + 1n,
          parentHash: head.hash,
          timestamp: 1_700_000_000n,
          payloadId,
          index,
          firstTxIndex: index,
          transactions: [hashOf(payloadId, index)],
          events: [transferred(index)],
        };
        log.provisional.publish(entry);
        return entry;
      };
      const seal = async () => {
        const entry = await subject.writer.append();
        log.provisional.clear();
        return entry;
      };
      const abort = new AbortController();
      const stream = subject.reader.followProvisional(0, { signal: abort.signal })[Symbol.asyncIterator]();
      const next = async (count: number): Promise<FeedEntry[]> => {
        const found: FeedEntry[] = [];
        while (found.length < count) found.push((await stream.next()).value as FeedEntry);
        return found;
      };
      return { ...subject, log, publish, seal, next, stop: () => abort.abort() };
    };
    afterEach(async () => {
      for (const subject of opened.splice(0)) await subject.close();
    });
    const a: Hex = '0x00000000000000aa';
    const b: Hex = '0x00000000000000bb';

    it('hears of the open block after its parent and before itself, unchanged', async () => {
      const { publish, seal, next, stop } = await start(2);
      const [first, second] = await next(2);
      expect([first?.kind, second?.kind]).toEqual(['block', 'block']);
      const zero = await publish(a, 0);
      expect(await next(1)).toEqual([zero]);
      const one = await publish(a, 1);
      const two = await publish(a, 2);
      expect(await next(2)).toEqual([one, two]);
      const sealed = await seal();
      expect(await next(1)).toEqual([sealed]);
      const again = await publish(b, 0);
      expect(await next(1)).toEqual([again]);
      stop();
    });

    it('that comes late is told of the whole open block', async () => {
      const { publish, next, stop } = await start(1);
      const both = [await publish(a, 0), await publish(a, 1)];
      const [, ...rest] = await next(3);
      expect(rest).toEqual(both);
      stop();
    });

    it('is told once that a build was withdrawn, if it was told of the build', async () => {
      const { log, publish, next, seal, stop } = await start(1);
      const zero = await publish(a, 0);
      expect((await next(2))[1]).toEqual(zero);
      log.provisional.withdraw();
      const { number, parentHash } = zero;
      expect(await next(1)).toEqual([{ kind: 'withdrawn', number, parentHash, payloadId: a }]);
      const again = await publish(b, 0);
      expect(await next(1)).toEqual([again]);
      const sealed = await seal();
      expect(await next(1)).toEqual([sealed]);
      stop();
    });

    it('hears nothing of builds that came and went before it looked', async () => {
      const { log, publish, next, seal, stop } = await start(1);
      await publish(a, 0);
      log.provisional.withdraw();
      await publish(b, 0);
      const sealed = await seal();
      expect((await next(2))[1]).toEqual(sealed);
      stop();
    });

    it('never finds anything provisional in the log', async () => {
      const { reader, publish, log } = await start(1);
      await publish(a, 0);
      const kinds: string[] = [];
      for await (const entry of reader.read(0)) kinds.push(entry.kind);
      expect(kinds).toEqual(['block']);
      expect((await log.head())?.nextSeq).toBe(1);
      for await (const entry of reader.follow(0)) {
        expect(entry.kind).toBe('block');
        break;
      }
    });
  });
};
