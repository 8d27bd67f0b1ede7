import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { entryToJson } from './codec.ts';
import { eventLogError } from './errors.ts';
import { encodeFeedEntry } from './provisionalCodec.ts';
import type { EventReader, FeedEntry, ProvisionalReader } from './types.ts';

/** Every idle stream carries a sign of life, so that a reader can tell a quiet chain from a dead node. */
export const HEARTBEAT_MS = 5_000;

/** A stream's frame: 4-byte big-endian length, then the msgpack entry. Length 0 is a heartbeat. */
export const toFrame = (payload: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame.set(payload, 4);
  return frame;
};

type Format = { contentType: string; entry(entry: FeedEntry): string | Uint8Array; heartbeat: string | Uint8Array };

const msgpackFrames: Format = {
  contentType: 'application/x-msgpack',
  entry: (entry) => toFrame(encodeFeedEntry(entry)),
  heartbeat: toFrame(new Uint8Array()),
};

const serverSentEvents: Format = {
  contentType: 'text/event-stream',
  // Only what is in the log has a position to resume from.
  entry: (entry) =>
    `${'seq' in entry ? `id: ${entry.seq}\n` : ''}event: ${entry.kind}\ndata: ${entryToJson(entry)}\n\n`,
  heartbeat: ': alive\n\n',
};

/**
 * `GET /events?from=SEQ[&follow=false][&provisional=true]`: the log from a position, then live, on demand with what is told of
 * the block under construction between its entries. msgpack frames by default; JSON server-sent events for `Accept: text/event-stream` (where Last-Event-ID resumes). Effects: holds the response open; ends it when the
 * client goes or `signal` aborts; waits for slow readers instead of buffering.
 */
export const serveEvents = async (
  reader: EventReader | ProvisionalReader,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const format = request.headers.accept?.includes('text/event-stream') ? serverSentEvents : msgpackFrames;
  const resumed = request.headers['last-event-id'];
  const from = typeof resumed === 'string' ? toPosition(resumed) + 1 : toPosition(url.searchParams.get('from') ?? '0');
  const head = await reader.head();
  if (!Number.isSafeInteger(from) || from < 0 || from > (head?.nextSeq ?? 0)) {
    const error = eventLogError('LOG_POSITION_UNKNOWN', `no position ${from} in this log`, {
      nextSeq: head?.nextSeq ?? 0,
    });
    response.writeHead(416, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: error.code, message: error.describe() } }));
    return;
  }
  const abort = new AbortController();
  const stop = () => abort.abort();
  response.on('close', stop);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  response.writeHead(200, { 'content-type': format.contentType, 'cache-control': 'no-store' });
  const write = async (chunk: string | Uint8Array) => {
    if (!response.write(chunk)) await once(response, 'drain', { signal: abort.signal }).catch(() => {});
  };
  let complete = false;
  const heartbeat = setInterval(() => response.writableNeedDrain || response.write(format.heartbeat), HEARTBEAT_MS);
  try {
    response.write(format.heartbeat);
    const follow = url.searchParams.get('follow') !== 'false';
    const provisional = url.searchParams.get('provisional') === 'true';
    const { signal: until } = abort;
    const entries: AsyncIterable<FeedEntry> = !follow
      ? reader.read(from, { signal: until })
      : provisional && 'followProvisional' in reader
        ? reader.followProvisional(from, { signal: until })
        : reader.follow(from, { signal: until });
    for await (const entry of entries) await write(format.entry(entry));
    complete = !abort.signal.aborted;
  } finally {
    clearInterval(heartbeat);
    signal.removeEventListener('abort', stop);
    // Only a whole answer ends well: a reader must be able to tell it from one that broke off.
    if (complete) response.end();
    else response.destroy();
  }
};

const toPosition = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN);
