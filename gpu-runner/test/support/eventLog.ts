import { type ChainEvent, EventLog, type LevelDb, type LogBlock, type PreparedEntry } from '@openledger/event-log';
import { MemoryLevel } from 'memory-level';
import { numberToHex } from 'viem';
import { hashOf } from './chainEvents.ts';

/** A node's log in memory. Blocks of different forks differ in their hashes. */
export const openLog = async () => {
  const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const db = new MemoryLevel<Uint8Array, Uint8Array>(encodings) as unknown as LevelDb;
  const log = await EventLog.open(db);
  const commit = async (prepared: PreparedEntry) => {
    await db.batch([...prepared.ops]);
    log.committed(prepared);
  };
  const append = async (fork: string, ...events: ChainEvent[]): Promise<LogBlock> => {
    const parent = await log.head();
    const number = parent ? parent.number + 1n : 0n;
    const block: LogBlock = {
      number,
      hash: hashOf(`${fork} ${number} ${parent?.hash}`),
      parentHash: parent?.hash ?? numberToHex(0, { size: 32 }),
      timestamp: 1_700_000_000n + number,
      gasUsed: 0n,
      gasLimit: 60_000_000n,
      baseFee: 1n,
      l1Origin: { number: 1n, hash: hashOf('l1') },
      transactions: [],
      events,
    };
    await commit(log.prepareBlock(block));
    return block;
  };
  return { reader: log, append, revertTo: async (block: LogBlock) => commit(await log.prepareRevert(block)) };
};
