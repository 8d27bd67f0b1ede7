import type { Database, Queryable } from './database/database.ts';

/** What a server in any process can tell about the views and their indexer. */
export type ViewsStatus = {
  readonly seq: number;
  readonly blockNumber: number | null;
  readonly blockHash: string | null;
  readonly logHash: string | null;
  /** Unix milliseconds of the last batch. */
  readonly indexedAt: number;
  readonly feedSeq: number | null;
  readonly feedBlock: number | null;
  readonly lastError: string | null;
  /** Unix milliseconds of the indexer's last sign of life. */
  readonly observedAt: number | null;
};

export type Observation = { feedSeq: number | null; feedBlock: bigint | null; lastError: string | null };

/** The indexer's sign of life. Feed figures that are unknown now stay as they were last seen. */
export const saveObservation = async (database: Database, observation: Observation): Promise<void> => {
  await database.query(
    `INSERT INTO indexer_status AS t (feed_seq, feed_block, last_error) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET feed_seq = coalesce(excluded.feed_seq, t.feed_seq),
       feed_block = coalesce(excluded.feed_block, t.feed_block), last_error = excluded.last_error, observed_at = now()`,
    [observation.feedSeq, observation.feedBlock, observation.lastError],
  );
};

/** Undefined: nothing has been indexed yet. */
export const readStatus = async (database: Pick<Queryable, 'query'>): Promise<ViewsStatus | undefined> => {
  const [row] = await database.query<ViewsStatus>(
    `SELECT c.seq, c.block_number AS "blockNumber", c.block_hash AS "blockHash", c.log_hash AS "logHash",
       floor(extract(epoch FROM c.indexed_at) * 1000)::bigint AS "indexedAt",
       s.feed_seq AS "feedSeq", s.feed_block AS "feedBlock", s.last_error AS "lastError",
       floor(extract(epoch FROM s.observed_at) * 1000)::bigint AS "observedAt"
     FROM checkpoint c LEFT JOIN indexer_status s ON true`,
  );
  return row;
};
