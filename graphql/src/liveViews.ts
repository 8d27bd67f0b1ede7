import {
  type BlocksRow,
  blockOfPosition,
  type Database,
  type EventsRow,
  type JobsRow,
  listenForViews,
  positionOf,
  type Queryable,
} from '@openledger/indexer/views';
import type { Logger } from '@openledger/kit';

export type EventUpdate = { event: EventsRow; revertedTo: null } | { event: null; revertedTo: number };

/** Streams that follow the views: woken by the database, checked every second in case a notice was lost. */
export type LiveViews = {
  newBlocks(): AsyncIterable<BlocksRow>;
  /** Events after a position (default: from now on); after a reorg, where it went back to and then the new events. */
  events(filter: { types?: readonly string[] | undefined; after?: number | undefined }): AsyncIterable<EventUpdate>;
  /** The job as it is, then as often as it changes. */
  job(jobId: string): AsyncIterable<JobsRow>;
  close(): Promise<void>;
};

const POLL_MS = 1_000;
const CHUNK = 200;

/** Where a stream stands: the log position that the views had when it last looked, and the last row's position. */
type Place = { seq: number; position: number };

export const createLiveViews = async (database: Database, log: Logger): Promise<LiveViews> => {
  let closed = false;
  let wakers = new Set<() => void>();
  const wakeAll = (): void => {
    const waiting = wakers;
    wakers = new Set();
    for (const wake of waiting) wake();
  };
  const stopListening = await listenForViews(database, wakeAll);
  const timer = setInterval(wakeAll, POLL_MS);
  timer.unref();
  const moved = (): Promise<void> => (closed ? Promise.resolve() : new Promise((resolve) => wakers.add(resolve)));

  /** Looks, hands out what it found, and waits only when there was nothing left. */
  async function* poll<T>(look: () => Promise<{ items: readonly T[]; more: boolean }>): AsyncIterable<T> {
    while (!closed) {
      const changed = moved();
      let found: { items: readonly T[]; more: boolean } = { items: [], more: false };
      try {
        found = await look();
      } catch (error) {
        // The database is away or the schema is being replaced: the stream goes on when it is back.
        log.warn({ err: error }, 'live query failed');
      }
      yield* found.items;
      if (!found.more) await changed;
    }
  }

  const newBlocks = (): AsyncIterable<BlocksRow> => {
    let place: { seq: number; block: number } | undefined;
    return poll(() =>
      database.snapshot(async (tx) => {
        const now = await presentPlace(tx);
        place ??= { seq: now.seq, block: blockOfPosition(now.position) };
        const block = Math.min(place.block, (await revertedSince(tx, place.seq)) ?? place.block);
        const items = await tx.query<BlocksRow>('SELECT * FROM blocks WHERE number > $1 ORDER BY number LIMIT $2', [
          block,
          CHUNK,
        ]);
        place = { seq: now.seq, block: items.at(-1)?.number ?? block };
        return { items, more: items.length === CHUNK };
      }),
    );
  };

  const events: LiveViews['events'] = ({ types, after }) => {
    let place: Place | undefined;
    return poll(() =>
      database.snapshot(async (tx) => {
        const now = await presentPlace(tx);
        place ??= { seq: now.seq, position: after ?? now.position };
        const items: EventUpdate[] = [];
        const revertedTo = await revertedSince(tx, place.seq);
        if (revertedTo !== undefined && positionOf(revertedTo + 1, 0) <= place.position) {
          place.position = positionOf(revertedTo + 1, 0) - 1;
          items.push({ event: null, revertedTo });
        }
        const filter = types === undefined ? '' : 'AND type IN (SELECT json_array_elements_text($3::json))';
        const rows = await tx.query<EventsRow>(
          `SELECT * FROM events WHERE position > $1 ${filter} ORDER BY position LIMIT $2`,
          [place.position, CHUNK, ...(types === undefined ? [] : [JSON.stringify(types)])],
        );
        items.push(...rows.map((event) => ({ event, revertedTo: null })));
        place = { seq: now.seq, position: rows.at(-1)?.position ?? place.position };
        return { items, more: rows.length === CHUNK };
      }),
    );
  };

  const job = (jobId: string): AsyncIterable<JobsRow> => {
    let shown: string | undefined;
    return poll(async () => {
      const items = await database.query<JobsRow>('SELECT * FROM jobs WHERE job_id = $1', [jobId]);
      const state = JSON.stringify(items[0]);
      if (state === shown) return { items: [], more: false };
      shown = state;
      return { items, more: false };
    });
  };

  return {
    newBlocks,
    events,
    job,
    close: async () => {
      closed = true;
      clearInterval(timer);
      wakeAll();
      await stopListening();
    },
  };
};

const presentPlace = async (tx: Queryable): Promise<Place> => {
  const [row] = await tx.query<{ seq: number; block_number: number | null }>(
    'SELECT seq, block_number FROM checkpoint',
  );
  return { seq: row?.seq ?? 0, position: positionOf((row?.block_number ?? -1) + 1, 0) - 1 };
};

/** The lowest block that the views went back to since the log position `seq`. */
const revertedSince = async (tx: Queryable, seq: number): Promise<number | undefined> => {
  const [row] = await tx.query<{ to_block: number | null }>(
    'SELECT min(to_block) AS to_block FROM reverts WHERE seq >= $1',
    [seq],
  );
  return row?.to_block ?? undefined;
};
