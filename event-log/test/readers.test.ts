import { EventLog } from '../src/eventLog.ts';
import { createRemoteReader } from '../src/remoteReader.ts';
import { describeProvisionalReader } from './provisionalContract.ts';
import { describeEventReader } from './readerContract.ts';
import { writerOf } from './support/blocks.ts';
import { startFeed } from './support/feedServer.ts';
import { openDisk, openMemory } from './support/stores.ts';

const inMemory = async () => {
  const db = openMemory();
  const log = await EventLog.open(db);
  return { writer: writerOf(db, log), reader: log, close: () => db.close() };
};

const onDisk = async () => {
  const { db, close } = await openDisk();
  const log = await EventLog.open(db);
  return { writer: writerOf(db, log), reader: log, close };
};

const overHttp = async () => {
  const db = openMemory();
  const log = await EventLog.open(db);
  const feed = await startFeed(log);
  return { writer: writerOf(db, log), reader: createRemoteReader({ url: feed.url }), close: feed.close };
};

describeEventReader('local, in memory', inMemory);
describeEventReader('local, on disk', onDisk);
describeEventReader('remote, over HTTP', overHttp);
describeProvisionalReader('local, in memory', inMemory);
describeProvisionalReader('remote, over HTTP', overHttp);
