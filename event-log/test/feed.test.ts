import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventLog } from '../src/eventLog.ts';
import { createRemoteReader } from '../src/remoteReader.ts';
import type { EventReader, LogEntry } from '../src/types.ts';
import { collect, transferred, writerOf } from './support/blocks.ts';
import { type FeedServer, startFeed } from './support/feedServer.ts';
import { openMemory } from './support/stores.ts';

const feeds: FeedServer[] = [];
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.close();
});

const start = async (blocks: number) => {
  const db = openMemory();
  const log = await EventLog.open(db);
  const writer = writerOf(db, log);
  for (let i = 0; i < blocks; i++) await writer.append('a', [transferred(0)]);
  const feed = await startFeed(log);
  feeds.push(feed);
  return { log, writer, feed };
};

const openStream = async (url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> => {
  const [response] = (await once(get(url, { headers }), 'response')) as [IncomingMessage];
  return response;
};

describe('server-sent events', () => {
  const accept = { accept: 'text/event-stream' };
  type Message = { id: number; event: string; data: { seq: number; number: string; events: unknown[] } };
  const parse = (text: string): Message[] =>
    text
      .split('\n\n')
      .filter((part) => part.startsWith('id: '))
      .map((part) => {
        const [id, event, data] = part.split('\n').map((line) => line.slice(line.indexOf(': ') + 2));
        return { id: Number(id), event: event ?? '', data: JSON.parse(data ?? '') };
      });

  it('carry entries as JSON, with the position as id and the kind as event', async () => {
    const { feed } = await start(2);
    const response = await fetch(`${feed.url}/events?from=1&follow=false`, { headers: accept });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const [message, ...rest] = parse(await response.text());
    expect(rest).toEqual([]);
    expect(message).toMatchObject({ id: 1, event: 'block', data: { seq: 1, number: '1', events: [{ txIndex: 1 }] } });
  });

  it('carry what is provisional without an id, only when asked for', async () => {
    const { feed, log } = await start(1);
    const head = await log.head();
    if (!head) throw new Error('the log is empty');
    const payloadId = '0x0000000000000001';
    const place = { number: 1n, parentHash: head.hash, timestamp: 5n, payloadId, index: 0, firstTxIndex: 0 } as const;
    log.provisional.publish({ kind: 'provisional', ...place, transactions: [], events: [transferred(0)] });
    const response = await openStream(`${feed.url}/events?from=1&provisional=true`, accept);
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    while (!text.includes('\n\n', text.indexOf('event: '))) await once(response, 'data');
    const [name, data] = text.slice(text.indexOf('event: ')).split('\n');
    expect(name).toBe('event: provisional');
    expect(text).not.toContain('id: ');
    expect(JSON.parse(data?.slice('data: '.length) ?? '')).toMatchObject({ number: '1', payloadId, index: 0 });
    response.destroy();
  });

  it('resume after Last-Event-ID, as browsers do', async () => {
    const { feed, writer } = await start(3);
    const response = await openStream(`${feed.url}/events?from=0`, { ...accept, 'last-event-id': '1' });
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    while (parse(text).length < 1) await once(response, 'data');
    await writer.append();
    while (parse(text).length < 2) await once(response, 'data');
    expect(parse(text).map(({ id }) => id)).toEqual([2, 3]);
    response.destroy();
  });

  it.each(['', 'x', '7', '-5'])('refuse the Last-Event-ID %j', async (id) => {
    const { feed } = await start(3);
    const response = await fetch(`${feed.url}/events`, { headers: { ...accept, 'last-event-id': id } });
    expect(response.status).toBe(416);
    expect(await response.json()).toMatchObject({ error: { code: 'LOG_POSITION_UNKNOWN' } });
  });
});

describe('the remote reader', () => {
  it.each(['from=9', 'from=x', 'from=-1', 'from=0.5', 'from=1e99'])('learns that %s is no position', async (query) => {
    const { feed } = await start(3);
    expect((await fetch(`${feed.url}/events?${query}`)).status).toBe(416);
  });

  it('says that nobody answers', async () => {
    const { feed } = await start(0);
    await feed.close();
    const reader = createRemoteReader({ url: feed.url });
    const unavailable = expect.objectContaining({ code: 'LOG_FEED_UNAVAILABLE', handling: 'retry' });
    await expect(reader.head()).rejects.toEqual(unavailable);
    await expect(collect(reader.read(0))).rejects.toEqual(unavailable);
    feeds.pop();
  });

  it('goes on at the next position when the node comes back', async () => {
    const { feed, log, writer } = await start(2);
    let retries = 0;
    const reader = createRemoteReader({ url: feed.url, onRetry: () => retries++ });
    const seen: LogEntry[] = [];
    for await (const entry of reader.follow(0)) {
      seen.push(entry);
      if (seen.length === 2) {
        await feed.close();
        feeds.pop();
        await writer.append();
        feeds.push(await startFeed(log, feed.port));
      }
      if (seen.length === 3) break;
    }
    expect(seen.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(retries).toBeGreaterThan(0);
  });

  it('never takes a stream that broke off for the end of the log', async () => {
    const { log } = await start(3);
    const breaking: EventReader = {
      head: () => log.head(),
      follow: (...args) => log.follow(...args),
      async *read(from) {
        yield* log.read(from, { limit: 1 });
        throw new Error('disk failed');
      },
    };
    const feed = await startFeed(breaking);
    feeds.push(feed);
    await expect(collect(createRemoteReader({ url: feed.url }).read(0))).rejects.toEqual(
      expect.objectContaining({ code: 'LOG_FEED_UNAVAILABLE' }),
    );
  });
});

describe('a slow reader', () => {
  it('is waited for: what it has not taken is neither read nor kept in memory', async () => {
    const { log } = await start(0);
    const db = openMemory();
    const writer = writerOf(db, await EventLog.open(db));
    const big = 'x'.repeat(1 << 20);
    await writer.append('a', [transferred(0, big)]);
    const [entry] = await collect(writer.log.read(0));
    let read = 0;
    const endless: EventReader = {
      head: async () => ({ ...(await writer.log.head()), nextSeq: 1 }) as never,
      read: (from) => log.read(from),
      async *follow(_from, { signal } = {}) {
        while (entry && !signal?.aborted) {
          read++;
          yield entry;
        }
      },
    };
    const feed = await startFeed(endless);
    feeds.push(feed);
    const timersBefore = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const socket = connect(feed.port, '127.0.0.1');
    socket.write('GET /events?from=0 HTTP/1.1\r\nhost: x\r\n\r\n');
    // Take a few dozen frames, each after a stall of the server, then stop reading.
    for (let taken = 0; taken < 40 << 20; ) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      taken += chunk.length;
    }
    socket.pause();
    const whenPaused = read;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(read - whenPaused).toBeLessThan(20);
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length - timersBefore;
    expect(timers).toBeLessThan(5);
    socket.destroy();
  });
});
