import { EventLog } from '../src/eventLog.ts';
import { createRemoteReader } from '../src/remoteReader.ts';
import { describeEventReader } from './readerContract.ts';
import { writerOf } from './support/blocks.ts';
import { startFeed } from './support/feedServer.ts';
import { openDisk, openMemory } from './support/stores.ts';

describeEventReader('local, in memory', async () => {
  const db = openMemory();
  const log = await EventLog.open(db);
  return { writer: writerOf(db, log), reader: log, close: () => db.close() };
});

describeEventReader('local, on disk', async () => {
  const { db, close } = await openDisk();
  const log = await EventLog.open(db);
  return { writer: writerOf(db, log), reader: log, close };
});

describeEventReader('remote, over HTTP', async () => {
  const db = openMemory();
  const log = await EventLog.open(db);
  const feed = await startFeed(log);
  return { writer: writerOf(db, log), reader: createRemoteReader({ url: feed.url }), close: feed.close };
});
