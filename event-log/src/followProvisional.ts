import type { EventLog } from './eventLog.ts';
import type { ProvisionalPlace } from './provisional.ts';
import type { FeedEntry } from './types.ts';

/**
 * The log from a position and then live, as `follow`, and between its entries what is told of the block under construction: a
 * block's provisional entries come after its parent's entry and before its own. A reader that lags misses the provisional
 * entries of blocks that are in the log by now, never an entry of the log.
 */
export async function* followProvisional(
  log: EventLog,
  from: number,
  signal: AbortSignal | undefined,
): AsyncIterable<FeedEntry> {
  const told: { payloadId: string | undefined; entries: number } = { payloadId: undefined, entries: 0 };
  let next = from;
  while (!signal?.aborted) {
    const changed = log.changed(signal);
    try {
      for await (const entry of log.read(next, signal ? { signal } : {})) {
        next = entry.seq + 1;
        // What was sealed needs no more telling of.
        if (entry.kind === 'block') Object.assign(told, { payloadId: undefined, entries: 0 });
        yield entry;
      }
      let idle = true;
      for (let found = await pending(log, next, told); found.length > 0; found = await pending(log, next, told)) {
        const [entry] = found;
        if (!entry) break;
        if (entry.kind === 'withdrawn') Object.assign(told, { payloadId: undefined, entries: 0 });
        else Object.assign(told, { payloadId: entry.payloadId, entries: entry.index + 1 });
        yield entry;
        idle = false;
      }
      const head = await log.head();
      if (idle && next >= (head?.nextSeq ?? 0)) await changed.promise;
    } finally {
      changed.cancel();
    }
  }
}

/** Nothing while the log has entries that the reader hasn't: those come first. */
const pending = async (log: EventLog, next: number, told: ProvisionalPlace) => {
  const head = await log.head();
  return head?.nextSeq === next ? log.provisional.since(told, head.hash) : [];
};
