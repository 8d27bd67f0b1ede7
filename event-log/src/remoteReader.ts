import { sleep } from '@openledger/kit';
import { eventLogError } from './errors.ts';
import { decodeFeedEntry } from './provisionalCodec.ts';
import { HEARTBEAT_MS } from './serveEvents.ts';
import type { FeedEntry, LogEntry, LogHead, ProvisionalReader } from './types.ts';

/** No frame for this long means that the node or the network is gone, however quiet the chain. */
const SILENCE_MS = 4 * HEARTBEAT_MS;
const RETRY_MS = 500;

const modes = { read: 'follow=false', follow: 'follow=true', provisional: 'follow=true&provisional=true' } as const;
type Mode = keyof typeof modes;
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/**
 * Reads another process's log over `GET /events`. `follow` survives a restart of the node: it reconnects and goes on at the
 * next position. `read` and `head` throw LOG_FEED_UNAVAILABLE when the node doesn't answer.
 */
export const createRemoteReader = (options: { url: string; onRetry?: (error: unknown) => void }): ProvisionalReader => {
  const endpoint = (path: string) => new URL(path, options.url).toString();

  const open = async (from: number, mode: Mode, signal: AbortSignal): Promise<Response> => {
    const response = await fetch(endpoint(`/events?from=${from}&${modes[mode]}`), { signal }).catch((cause) => {
      throw eventLogError('LOG_FEED_UNAVAILABLE', 'the event feed does not answer', {}, cause);
    });
    if (response.status === 416) {
      throw eventLogError('LOG_POSITION_UNKNOWN', `the feed has no position ${from}`, { from });
    }
    if (!response.ok || !response.body) {
      throw eventLogError('LOG_FEED_UNAVAILABLE', `the event feed answered ${response.status}`, {
        status: response.status,
      });
    }
    return response;
  };

  async function* stream(from: number, mode: Mode, signal?: AbortSignal): AsyncIterable<FeedEntry> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    if (signal?.aborted) return;
    signal?.addEventListener('abort', stop, { once: true });
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      const response = await open(from, mode, abort.signal);
      let pending = Buffer.alloc(0);
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
        pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
        while (pending.length >= 4) {
          const length = pending.readUInt32BE(0);
          if (length > MAX_FRAME_BYTES) throw eventLogError('LOG_CORRUPT', `frame of ${length} bytes`, { length });
          if (pending.length < 4 + length) break;
          const payload = pending.subarray(4, 4 + length);
          pending = pending.subarray(4 + length);
          if (length > 0) yield decodeFeedEntry(payload);
        }
      }
    } catch (cause) {
      if (signal?.aborted) return;
      throw abort.signal.aborted
        ? eventLogError('LOG_FEED_UNAVAILABLE', 'the event feed went silent', {}, cause)
        : cause instanceof TypeError
          ? eventLogError('LOG_FEED_UNAVAILABLE', 'the event feed broke off', {}, cause)
          : cause;
    } finally {
      clearTimeout(silence);
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  async function* follow(from: number, mode: Mode, signal?: AbortSignal): AsyncIterable<FeedEntry> {
    let next = from;
    /** The last provisional entry: a new connection tells of the open block from its beginning. */
    let told: { payloadId: string; index: number } | undefined;
    while (!signal?.aborted) {
      try {
        for await (const entry of stream(next, mode, signal)) {
          if ('seq' in entry) next = entry.seq + 1;
          else if (entry.kind === 'provisional') {
            if (told?.payloadId === entry.payloadId && entry.index <= told.index) continue;
            told = entry;
          }
          yield entry;
        }
      } catch (error) {
        if (!isRetryable(error)) throw error;
        options.onRetry?.(error);
      }
      await sleep(RETRY_MS, signal);
    }
  }

  return {
    head: async () => {
      const response = await fetch(endpoint('/events/head')).catch((cause) => {
        throw eventLogError('LOG_FEED_UNAVAILABLE', 'the event feed does not answer', {}, cause);
      });
      if (!response.ok) throw eventLogError('LOG_FEED_UNAVAILABLE', `the event feed answered ${response.status}`);
      const json = (await response.json()) as {
        number: string;
        hash: `0x${string}`;
        logHash: `0x${string}`;
        nextSeq: number;
      } | null;
      return json ? ({ ...json, number: BigInt(json.number) } satisfies LogHead) : undefined;
    },
    async *read(from, { limit, signal } = {}) {
      let left = limit ?? Number.MAX_SAFE_INTEGER;
      if (left <= 0) return;
      for await (const entry of stream(from, 'read', signal)) {
        yield entry as LogEntry;
        if (--left <= 0) return;
      }
    },
    follow: (from, { signal } = {}) => follow(from, 'follow', signal) as AsyncIterable<LogEntry>,
    followProvisional: (from, { signal } = {}) => follow(from, 'provisional', signal),
  };
};

const isRetryable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'LOG_FEED_UNAVAILABLE';
