import { setImmediate } from 'node:timers/promises';
import type { LogEntry } from '@openledger/event-log';

export type BatchLimits = { readonly entries: number; readonly events: number };

const weightOf = (entry: LogEntry): number =>
  entry.kind === 'block' ? 1 + entry.transactions.length + entry.events.length : 1;

/**
 * Groups a stream into batches of whatever has arrived while the consumer worked: single blocks at the head, as many as the
 * limits allow when catching up. Reads ahead by at most one batch. The stream is opened with a signal of its own: one that
 * waits for the next block can be ended in no other way when the consumer leaves.
 */
export async function* entryBatches(
  open: (signal: AbortSignal) => AsyncIterable<LogEntry>,
  limits: BatchLimits,
  signal?: AbortSignal,
): AsyncIterable<LogEntry[]> {
  // Forwarded by hand: a signal made by AbortSignal.any may be collected on Node 20 while somebody still listens to it.
  const left = new AbortController();
  const leave = () => left.abort();
  signal?.addEventListener('abort', leave, { once: true });
  if (signal?.aborted) leave();
  const iterator = open(left.signal)[Symbol.asyncIterator]();
  const queue: LogEntry[] = [];
  let weight = 0;
  let ended = false;
  let failure: unknown;
  let wakeConsumer = () => {};
  let wakeProducer = () => {};

  const full = () => queue.length >= limits.entries || weight >= limits.events;
  const produce = async (): Promise<void> => {
    try {
      while (!ended) {
        const { done, value } = await iterator.next();
        if (done || ended) break;
        queue.push(value);
        weight += weightOf(value);
        wakeConsumer();
        while (full() && !ended) {
          await new Promise<void>((resolve) => {
            wakeProducer = resolve;
          });
        }
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wakeConsumer();
  };
  const producing = produce();

  try {
    for (;;) {
      if (queue.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wakeConsumer = resolve;
        });
      }
      // One turn of the event loop at a time, as long as it brings more.
      for (let before = -1; before !== queue.length && !full() && !ended; ) {
        before = queue.length;
        await setImmediate();
      }
      const batch = queue.splice(0);
      weight = 0;
      wakeProducer();
      if (batch.length > 0) yield batch;
      else if (ended) break;
    }
    if (failure !== undefined) throw failure;
  } finally {
    ended = true;
    signal?.removeEventListener('abort', leave);
    leave();
    wakeProducer();
    await producing;
    await iterator.return?.();
  }
}
