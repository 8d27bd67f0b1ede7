import { sleep } from '@openledger/kit';
import { decodeEntry } from './codec.ts';
import { eventLogError } from './errors.ts';
import { HEARTBEAT_MS } from './serveEvents.ts';
import type { EventReader, LogEntry, LogHead } from './types.ts';

/** No frame for this long means that the node or the network is gone, however quiet the chain. */
const SILENCE_MS = 4 * HEARTBEAT_MS;
const RETRY_MS = 500;
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/**
 * Reads another process's log over `GET /events`. `follow` survives a restart of the node: it reconnects and goes on at the
 * next position. `read` and `head` throw LOG_FEED_UNAVAILABLE when the node doesn't answer.
 */
export const createRemoteReader = (options: { url: string; onRetry?: (error: unknown) => void }): EventReader => {
  const endpoint = (path: string) => new URL(path, options.url).toString();

  const open = async (from: number, follow: boolean, signal: AbortSignal): Promise<Response> => {
    const response = await fetch(endpoint(`/events?from=${from}&follow=${follow}`), { signal }).catch((cause) => {
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

  async function* stream(from: number, follow: boolean, signal?: AbortSignal): AsyncIterable<LogEntry> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    if (signal?.aborted) return;
    signal?.addEventListener('abort', stop, { once: true });
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      const response = await open(from, follow, abort.signal);
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
          if (length > 0) yield decodeEntry(payload);
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
      for await (const entry of stream(from, false, signal)) {
        yield entry;
        if (--left <= 0) return;
      }
    },
    async *follow(from, { signal } = {}) {
      let next = from;
      while (!signal?.aborted) {
        try {
          for await (const entry of stream(next, true, signal)) {
            next = entry.seq + 1;
            yield entry;
          }
        } catch (error) {
          if (!isRetryable(error)) throw error;
          options.onRetry?.(error);
        }
        await sleep(RETRY_MS, signal);
      }
    },
  };
};

const isRetryable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'LOG_FEED_UNAVAILABLE';
