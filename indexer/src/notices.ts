import type { Database, Queryable } from './database/database.ts';

/** What is told to everybody who listens when the views have moved. */
export type ViewsNotice = { readonly seq: number };

const channelOf = (schema: string): string => `${schema}_views`;

/** Delivered when the transaction commits, never before. */
export const notifyViews = async (tx: Queryable, schema: string, notice: ViewsNotice): Promise<void> => {
  await tx.query('SELECT pg_notify($1, $2)', [channelOf(schema), JSON.stringify(notice)]);
};

/** Calls back whenever the views may have moved. */
export const listenForViews = (database: Database, onMoved: () => void): Promise<() => Promise<void>> =>
  database.listen(channelOf(database.schema), onMoved);
