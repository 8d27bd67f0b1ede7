export { computeLogHash, decodeEntry, encodeEntry, entryToJson } from './codec.ts';
export { EventLog, type LevelDb, type PreparedEntry, type PutOp } from './eventLog.ts';
export { ProvisionalEntries } from './provisional.ts';
export { decodeFeedEntry, encodeFeedEntry } from './provisionalCodec.ts';
export { createRemoteReader } from './remoteReader.ts';
export { type EventArgs, type EventType, eventSchema, type FieldKind, SCHEMA_VERSION } from './schema.ts';
export { serveEvents } from './serveEvents.ts';
export type * from './types.ts';
