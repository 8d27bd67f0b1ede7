import type { AbstractLevel } from 'abstract-level';
import { bytesToHex, hexToBytes } from 'viem';
import { computeLogHash, decodeEntry, encodeEntry } from './codec.ts';
import { eventLogError } from './errors.ts';
import { followProvisional } from './followProvisional.ts';
import { ProvisionalEntries } from './provisional.ts';
import type {
  BlockEntry,
  BlockRef,
  FeedEntry,
  Hex,
  LogBlock,
  LogEntry,
  LogHead,
  ProvisionalReader,
  RevertEntry,
} from './types.ts';

export type LevelDb = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>;
export type PutOp = { type: 'put'; key: Uint8Array; value: Uint8Array };

/** What has to be written for one entry; the owner of the database puts it into its own atomic batch. */
export type PreparedEntry = { readonly entry: LogEntry; readonly ops: readonly PutOp[]; readonly head: LogHead };

const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;
/** Entries longer than this are stored as several values, so that no LevelDB block grows out of bounds. */
const CHUNK_BYTES = 1 << 20;
const ENTRY = 0x65; // 'e' seq(8) chunk(2): entry bytes
const BY_HASH = 0x68; // 'h' blockHash(32): seq(8)
const HEAD = Uint8Array.of(0x45); // 'E': seq(8) of the last entry, number(8), hash(32), logHash(32)

const u64 = (value: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
};
const readU64 = (bytes: Uint8Array, offset = 0): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset);

const entryKey = (seq: number, chunk: number): Uint8Array => {
  const key = new Uint8Array(11);
  key[0] = ENTRY;
  key.set(u64(seq), 1);
  new DataView(key.buffer).setUint16(9, chunk);
  return key;
};
const hashKey = (hash: Hex): Uint8Array => Uint8Array.of(BY_HASH, ...hexToBytes(hash));

const encodeHead = (head: LogHead): Uint8Array => {
  const bytes = new Uint8Array(80);
  bytes.set(u64(head.nextSeq), 0);
  bytes.set(u64(head.number), 8);
  bytes.set(hexToBytes(head.hash), 16);
  bytes.set(hexToBytes(head.logHash), 48);
  return bytes;
};
const decodeHead = (bytes: Uint8Array): LogHead => ({
  nextSeq: Number(readU64(bytes)),
  number: readU64(bytes, 8),
  hash: bytesToHex(bytes.subarray(16, 48)),
  logHash: bytesToHex(bytes.subarray(48, 80)),
});

/**
 * The append-only log of one node. It owns key prefixes `e`, `h` and `E` of the node's database and writes nothing itself:
 * `prepare*` returns the operations, the node commits them with block and state in one batch, then calls `committed`.
 */
export class EventLog implements ProvisionalReader {
  /** What is told beside the log, of the block under construction. */
  readonly provisional = new ProvisionalEntries(() => this.#wakeAll());
  readonly #db: LevelDb;
  #head: LogHead | undefined;
  #waiters = new Set<() => void>();

  private constructor(db: LevelDb, head: LogHead | undefined) {
    this.#db = db;
    this.#head = head;
  }

  /** @throws LOG_CORRUPT when the head points to an entry that isn't there or doesn't carry the head's hash. */
  static async open(db: LevelDb): Promise<EventLog> {
    const bytes = await db.get(HEAD);
    const log = new EventLog(db, bytes ? decodeHead(bytes) : undefined);
    if (log.#head) await log.#verifyTail(log.#head);
    return log;
  }

  async head(): Promise<LogHead | undefined> {
    return this.#head;
  }

  /** @throws LOG_NOT_LINKED when the block isn't the child of the log's head. */
  prepareBlock(block: LogBlock): PreparedEntry {
    const head = this.#head;
    if (head && block.parentHash !== head.hash) {
      throw eventLogError('LOG_NOT_LINKED', `block ${block.number} does not follow the log's head ${head.number}`, {
        parentHash: block.parentHash,
        head: head.hash,
      });
    }
    const seq = head?.nextSeq ?? 0;
    const logHash = computeLogHash(block, head?.logHash ?? ZERO_HASH);
    const entry: BlockEntry = { ...block, kind: 'block', seq, logHash };
    const next: LogHead = { number: block.number, hash: block.hash, logHash, nextSeq: seq + 1 };
    return this.#prepare(entry, next, [{ type: 'put', key: hashKey(block.hash), value: u64(seq) }]);
  }

  /** Takes the log back to `ancestor`, which must be in it. */
  async prepareRevert(ancestor: BlockRef): Promise<PreparedEntry> {
    const head = this.#head;
    const target = await this.entryOf(ancestor.hash);
    if (!head || !target) {
      throw eventLogError('LOG_POSITION_UNKNOWN', `block ${ancestor.hash} is not in the log`, { hash: ancestor.hash });
    }
    const reverted: BlockRef[] = [];
    for (let hash = head.hash; hash !== target.hash; ) {
      const entry = await this.entryOf(hash);
      if (!entry || entry.number <= target.number) {
        throw eventLogError('LOG_NOT_LINKED', `block ${ancestor.hash} is not an ancestor of the head`, { hash });
      }
      reverted.push({ number: entry.number, hash: entry.hash });
      hash = entry.parentHash;
    }
    const to = { number: target.number, hash: target.hash, logHash: target.logHash };
    const entry: RevertEntry = { kind: 'revert', seq: head.nextSeq, to, reverted };
    return this.#prepare(entry, { ...to, nextSeq: head.nextSeq + 1 }, []);
  }

  /** Call after the batch is on disk: moves the head and wakes the followers. */
  committed(prepared: PreparedEntry): void {
    this.#head = prepared.head;
    this.#wakeAll();
  }

  /** The entry of a block that is or was in the log. */
  async entryOf(hash: Hex): Promise<BlockEntry | undefined> {
    const seq = await this.#db.get(hashKey(hash));
    if (!seq) return undefined;
    const entry = await this.#entryAt(Number(readU64(seq)));
    return entry.kind === 'block' ? entry : undefined;
  }

  /** @throws LOG_POSITION_UNKNOWN, LOG_CORRUPT when an entry up to the head is missing or damaged */
  async *read(from: number, options: { limit?: number; signal?: AbortSignal } = {}): AsyncIterable<LogEntry> {
    const nextSeq = this.#head?.nextSeq ?? 0;
    if (!Number.isSafeInteger(from) || from < 0 || from > nextSeq) {
      throw eventLogError('LOG_POSITION_UNKNOWN', `no position ${from} in this log`, { nextSeq });
    }
    const end = Math.min(nextSeq, from + (options.limit ?? Number.MAX_SAFE_INTEGER));
    if (from >= end) return;
    let parts: Uint8Array[] = [];
    let current = from;
    for await (const [key, value] of this.#db.iterator({ gte: entryKey(from, 0), lt: entryKey(end, 0) })) {
      if (options.signal?.aborted) return;
      while (current < Number(readU64(key, 1))) {
        yield this.#assemble(current++, parts);
        parts = [];
      }
      parts.push(value);
    }
    for (; current < end; parts = []) yield this.#assemble(current++, parts);
  }

  followProvisional(from: number, options: { signal?: AbortSignal } = {}): AsyncIterable<FeedEntry> {
    return followProvisional(this, from, options.signal);
  }

  async *follow(from: number, options: { signal?: AbortSignal } = {}): AsyncIterable<LogEntry> {
    let next = from;
    while (!options.signal?.aborted) {
      const grown = this.changed(options.signal);
      try {
        for await (const entry of this.read(next, options)) {
          next = entry.seq + 1;
          yield entry;
        }
        if (next >= (this.#head?.nextSeq ?? 0)) await grown.promise;
      } finally {
        grown.cancel();
      }
    }
  }

  #prepare(entry: LogEntry, head: LogHead, extra: PutOp[]): PreparedEntry {
    const bytes = encodeEntry(entry);
    const ops: PutOp[] = [...extra, { type: 'put', key: HEAD, value: encodeHead(head) }];
    for (let chunk = 0; chunk * CHUNK_BYTES < bytes.length; chunk++) {
      const value = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
      ops.push({ type: 'put', key: entryKey(entry.seq, chunk), value });
    }
    return { entry, ops, head };
  }

  #assemble(seq: number, parts: Uint8Array[]): LogEntry {
    const entry = parts.length === 0 ? undefined : decodeEntry(Buffer.concat(parts));
    if (entry?.seq !== seq) throw eventLogError('LOG_CORRUPT', `entry ${seq} is missing or misplaced`, { seq });
    return entry;
  }

  async #entryAt(seq: number): Promise<LogEntry> {
    const parts = await this.#db.values({ gte: entryKey(seq, 0), lt: entryKey(seq + 1, 0) }).all();
    return this.#assemble(seq, parts);
  }

  async #verifyTail(head: LogHead): Promise<void> {
    const last = await this.#entryAt(head.nextSeq - 1);
    const hash = last.kind === 'block' ? last.logHash : last.to.logHash;
    if (hash !== head.logHash) throw eventLogError('LOG_CORRUPT', 'the last entry does not match the head');
  }

  #wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }

  /** Resolves when the log grew, when there is something provisional, or when the signal aborts. */
  changed(signal: AbortSignal | undefined): { promise: Promise<void>; cancel(): void } {
    let wake = () => {};
    const promise = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiters.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
    return {
      promise,
      cancel: () => {
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', wake);
      },
    };
  }
}
