import type { EventReader, LogEntry } from '@openledger/event-log';
import { describeError, handlingOf, type Logger, type Metrics, sleep } from '@openledger/kit';
import { type Applied, applyEntries } from './applyEntries.ts';
import { type Checkpoint, ensureCheckpoint, loadCheckpoint } from './checkpoint.ts';
import type { Database } from './database/database.ts';
import { type BatchLimits, entryBatches } from './entryBatches.ts';
import { indexerError } from './errors.ts';
import { indexerMetrics } from './metrics.ts';
import { migrate } from './migrate.ts';
import { saveObservation } from './status.ts';
import { verifyCheckpoint } from './verifyCheckpoint.ts';

export type IndexerOptions = {
  reader: EventReader;
  /** Its schema holds the views of this one chain. */
  database: Database;
  log: Logger;
  metrics?: Metrics;
  signal: AbortSignal;
  /** Blocks below the head that can be unwound; a deeper reorg asks for a rebuild. */
  reorgDepth?: number;
  batch?: Partial<BatchLimits>;
  heartbeatMs?: number;
};

export type IndexerState = {
  readonly status: 'starting' | 'following' | 'retrying' | 'failed' | 'stopped';
  readonly seq: number;
  readonly block: bigint | null;
  /** The feed's head, as last seen. */
  readonly feedBlock: bigint | null;
  /** Entries of the log that the views don't show yet; null while the feed has not answered. */
  readonly lag: number | null;
  /** Why the feed doesn't tell its head; null while it does. */
  readonly feedError: string | null;
  /** The last failure of the indexer itself; it stays after the indexer got over it. */
  readonly lastError: { readonly code: string | undefined; readonly message: string; readonly at: number } | null;
};

export type Indexer = {
  state(): IndexerState;
  /**
   * Resolves when the signal has stopped the indexer; rejects with the error that it can't get over by itself
   * (INDEXER_CHECKPOINT_UNKNOWN and others of handling `reset`: rebuild; `fatal`: an operator has to act).
   */
  readonly done: Promise<void>;
  /** Resolves when the views show at least the log's entry before `seq`. */
  reached(seq: number): Promise<void>;
  close(): Promise<void>;
};

export const DEFAULT_REORG_DEPTH = 4_096;
/** Weight of a batch in rows: a transaction of this size holds PGlite's only session for about a second. */
export const DEFAULT_BATCH: BatchLimits = { entries: 2_000, events: 8_000 };
const DEFAULT_HEARTBEAT_MS = 2_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 15_000;

/**
 * Follows the log into the views. Effects: migrates the schema, then writes until the signal aborts. Errors that may pass
 * are retried for ever and shown in `state()`; the others end it, also in `state()`: it never stops silently.
 */
export const createIndexer = (options: IndexerOptions): Indexer => {
  const { reader, database, log } = options;
  const reorgDepth = options.reorgDepth ?? DEFAULT_REORG_DEPTH;
  const limits = { ...DEFAULT_BATCH, ...options.batch };
  const metrics = options.metrics && indexerMetrics(options.metrics);
  const abort = new AbortController();
  const stop = () => abort.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();

  let state: IndexerState = {
    status: 'starting',
    seq: 0,
    block: null,
    feedBlock: null,
    lag: null,
    feedError: null,
    lastError: null,
  };
  let feedSeq: number | null = null;
  const waiting = new Set<{ seq: number; resolve: () => void }>();

  const update = (change: Partial<IndexerState>): void => {
    state = { ...state, ...change };
    state = { ...state, lag: feedSeq === null ? null : Math.max(0, feedSeq - state.seq) };
    metrics?.show(state);
    for (const waiter of waiting) {
      if (state.seq >= waiter.seq && waiting.delete(waiter)) waiter.resolve();
    }
  };

  const moveTo = ({ seq, block }: Checkpoint): void => {
    feedSeq = Math.max(feedSeq ?? 0, seq);
    update({ seq, block: block?.number ?? null });
  };

  const observeFeed = async (): Promise<void> => {
    const head = await reader.head();
    feedSeq = head?.nextSeq ?? 0;
    update({ feedBlock: head?.number ?? null });
  };

  const heartbeat = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await sleep(options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS, abort.signal);
      if (abort.signal.aborted) return;
      // A reader may wait for its node without a word; its silence must show somewhere.
      const feedError = await observeFeed().then(
        () => null,
        (error: unknown) => describeError(error),
      );
      update({ feedError });
      const lastError = state.status === 'following' ? feedError : (state.lastError?.message ?? feedError);
      try {
        await saveObservation(database, { feedSeq, feedBlock: state.feedBlock, lastError });
      } catch (error) {
        log.warn({ err: error }, 'heartbeat not written');
      }
    }
  };

  const follow = async (): Promise<void> => {
    let checkpoint = await loadCheckpoint(database);
    await verifyCheckpoint(reader, checkpoint);
    await observeFeed();
    moveTo(checkpoint);
    update({ status: 'following' });
    await saveObservation(database, { feedSeq, feedBlock: state.feedBlock, lastError: null });
    const from = checkpoint.seq;
    for await (const batch of entryBatches((signal) => reader.follow(from, { signal }), limits, abort.signal)) {
      if (abort.signal.aborted) return;
      const started = performance.now();
      const feedHead = highest(batch, state.feedBlock);
      const applied = await applyEntries({ database, reader, reorgDepth }, checkpoint, batch, feedHead);
      checkpoint = applied.checkpoint;
      report(applied, batch, performance.now() - started);
    }
  };

  const report = (applied: Applied, batch: readonly LogEntry[], ms: number): void => {
    moveTo(applied.checkpoint);
    metrics?.batch(applied, batch.length, ms);
    const { seq, block } = applied.checkpoint;
    log.debug({ seq, block: block?.number.toString(), events: applied.events, ms: Math.round(ms) }, 'views moved');
    if (applied.unwound) log.info({ seq, block: block?.number.toString() }, 'views unwound after a reorg');
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    let lastSeq = -1;
    let ready = false;
    while (!abort.signal.aborted) {
      try {
        if (!ready) {
          await migrate(database);
          await ensureCheckpoint(database);
          ready = true;
        }
        await follow();
      } catch (error) {
        if (abort.signal.aborted) return;
        failures = state.seq > lastSeq ? 1 : failures + 1;
        lastSeq = state.seq;
        const handling = handlingOf(error);
        const passing = handling === 'retry';
        update({
          status: passing ? 'retrying' : 'failed',
          lastError: { code: codeOf(error), message: describeError(error), at: Date.now() },
        });
        metrics?.failed(codeOf(error) ?? 'UNKNOWN');
        await saveObservation(database, { feedSeq, feedBlock: state.feedBlock, lastError: describeError(error) }).catch(
          (cause: unknown) => log.debug({ err: cause }, 'the error could not be written down'),
        );
        if (!passing) {
          log.error({ err: error, handling }, 'the indexer stopped');
          throw error;
        }
        log.warn({ err: error, failures }, 'indexing failed, trying again');
        await sleep(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)), abort.signal);
      }
    }
  };

  const beating = heartbeat();
  const done = run().finally(async () => {
    abort.abort();
    options.signal.removeEventListener('abort', stop);
    if (state.status !== 'failed') update({ status: 'stopped' });
    await beating;
  });
  // Whoever awaits `done` hears of the error; a composition root that only looks at state() must not be killed by it.
  done.catch(() => undefined);

  return {
    state: () => state,
    done,
    reached: (seq) =>
      state.seq >= seq
        ? Promise.resolve()
        : Promise.race([
            new Promise<void>((resolve) => waiting.add({ seq, resolve })),
            done.then(() => Promise.reject(indexerError('DATABASE_CLOSED', 'the indexer was stopped'))),
          ]),
    close: async () => {
      stop();
      await done.catch(() => undefined);
    },
  };
};

const highest = (batch: readonly LogEntry[], feedBlock: bigint | null): bigint =>
  batch.reduce((top, entry) => (entry.kind === 'block' && entry.number > top ? entry.number : top), feedBlock ?? 0n);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
