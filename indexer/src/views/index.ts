/** What those who read the views need: row types and where the views stand. Nothing here writes or opens a database. */
export type { Database, Queryable, SqlValue } from '../database/database.ts';
export { listenForViews } from '../notices.ts';
export { blockOfPosition, positionOf } from '../position.ts';
export { readStatus, type ViewsStatus } from '../status.ts';
export * from './generated.ts';
