import { keccak256, numberToHex } from 'viem';
import type { EventLog, LevelDb, PreparedEntry } from '../../src/eventLog.ts';
import type { BlockRef, ChainEvent, Hex, LogBlock, LogEntry } from '../../src/types.ts';

/** A hash that is told apart by a word, the same in every run. */
export const hashOf = (...parts: (string | number | bigint)[]): Hex =>
  keccak256(`0x${Buffer.from(parts.join('/')).toString('hex')}`);

export const transferred = (subIndex: number, name = 'adapter'): ChainEvent => ({
  type: 'BaseModelRegistered',
  txIndex: 1,
  logIndex: 0,
  subIndex,
  args: {
    modelId: 1n << 200n,
    owner: `0x${'a1'.repeat(20)}`,
    weightsHash: hashOf('weights'),
    name,
    architecture: 'llama',
    uri: 'ipfs://weights',
  },
});

/** A block on `parent`; the fork name makes siblings differ. */
export const childOf = (parent: BlockRef | undefined, fork = 'a', events: readonly ChainEvent[] = []): LogBlock => {
  const number = parent ? parent.number + 1n : 0n;
  const parentHash = parent?.hash ?? numberToHex(0, { size: 32 });
  return {
    number,
    hash: hashOf('block', fork, number, parentHash),
    parentHash,
    timestamp: 1_700_000_000n + number,
    gasUsed: 21_000n,
    gasLimit: 60_000_000n,
    baseFee: 1n,
    l1Origin: { number: 5n, hash: hashOf('l1') },
    transactions: [
      {
        hash: hashOf('tx', fork, number),
        type: 2,
        from: `0x${'01'.repeat(20)}`,
        to: null,
        contractAddress: `0x${'02'.repeat(20)}`,
        value: 10n ** 30n,
        nonce: number,
        gasUsed: 21_000n,
        fee: 5n,
        success: true,
        selector: '0x12345678',
      },
    ],
    events,
  };
};

/** What a node does with a prepared entry: one batch, then the log is told. */
export const commit = async (db: LevelDb, log: EventLog, prepared: PreparedEntry): Promise<LogEntry> => {
  await db.batch([...prepared.ops]);
  log.committed(prepared);
  return prepared.entry;
};

/** A log with the database that it is written through. */
export type Writer = {
  readonly db: LevelDb;
  readonly log: EventLog;
  append(fork?: string, events?: readonly ChainEvent[]): Promise<LogEntry>;
  revertTo(ancestor: BlockRef): Promise<LogEntry>;
};

export const writerOf = (db: LevelDb, log: EventLog): Writer => ({
  db,
  log,
  append: async (fork, events) => commit(db, log, log.prepareBlock(childOf(await log.head(), fork, events))),
  revertTo: async (ancestor) => commit(db, log, await log.prepareRevert(ancestor)),
});

export const collect = async (entries: AsyncIterable<LogEntry>, count = Number.POSITIVE_INFINITY) => {
  const found: LogEntry[] = [];
  if (count === 0) return found;
  for await (const entry of entries) {
    found.push(entry);
    if (found.length >= count) break;
  }
  return found;
};
