import type { EventArgs, EventType } from './schema.ts';

export type Hex = `0x${string}`;

/**
 * One thing that happened. Identity is (block hash, txIndex, logIndex, subIndex): `logIndex` is the log's index in its
 * block, `subIndex` counts what one log stands for (0 for the log itself, 1.. for the pages of an attribution batch).
 */
export type ChainEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly type: K;
    readonly txIndex: number;
    readonly logIndex: number;
    readonly subIndex: number;
    readonly args: EventArgs<K>;
  };
}[T];

/** One transaction of a block, as explorers list it. Values in wei of OPEN. */
export type LogTransaction = {
  readonly hash: Hex;
  /** EIP-2718 type; 0x7e is a deposit. */
  readonly type: number;
  readonly from: Hex;
  readonly to: Hex | null;
  readonly contractAddress: Hex | null;
  readonly value: bigint;
  readonly nonce: bigint;
  readonly gasUsed: bigint;
  /** Everything the sender paid for inclusion: execution, L1 data and operator fee. */
  readonly fee: bigint;
  readonly success: boolean;
  /** First four bytes of the calldata, or 0x. */
  readonly selector: Hex;
};

export type BlockRef = { readonly number: bigint; readonly hash: Hex };

/** What a block adds to the log, before it has a place in it. */
export type LogBlock = {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Unix seconds. */
  readonly timestamp: bigint;
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  readonly baseFee: bigint;
  readonly l1Origin: BlockRef;
  readonly transactions: readonly LogTransaction[];
  readonly events: readonly ChainEvent[];
};

export type BlockEntry = LogBlock & {
  readonly kind: 'block';
  /** Position in this node's log, from 0. */
  readonly seq: number;
  /** keccak256(parent's logHash, block hash, keccak256(content)): equal on every node that has this block. */
  readonly logHash: Hex;
};

/** The log is append-only: a reorg is told by this marker. All blocks after `to` no longer count. */
export type RevertEntry = {
  readonly kind: 'revert';
  readonly seq: number;
  readonly to: BlockRef & { readonly logHash: Hex };
  /** Highest first. */
  readonly reverted: readonly BlockRef[];
};

export type LogEntry = BlockEntry | RevertEntry;

/**
 * What was added to the block under construction: a promise of the sequencer, not yet in the log and without a position. The
 * entry of block `number` takes its place, or that it is withdrawn.
 */
export type ProvisionalEntry = {
  readonly kind: 'provisional';
  readonly number: bigint;
  readonly parentHash: Hex;
  /** Unix seconds; the block's. */
  readonly timestamp: bigint;
  /** 8 bytes, one for each build of a block. */
  readonly payloadId: Hex;
  /** Of the flashblock in its block, from 0. */
  readonly index: number;
  /** Place in the block of the first transaction added. */
  readonly firstTxIndex: number;
  /** Hashes of the transactions added. */
  readonly transactions: readonly Hex[];
  readonly events: readonly ChainEvent[];
};

/** All provisional entries of this build no longer count; its transactions wait for another block. */
export type WithdrawnEntry = {
  readonly kind: 'withdrawn';
  readonly number: bigint;
  readonly parentHash: Hex;
  readonly payloadId: Hex;
};

/** What the feed tells: the log, and if it is asked for, what may come. */
export type FeedEntry = LogEntry | ProvisionalEntry | WithdrawnEntry;

export type LogHead = BlockRef & { readonly logHash: Hex /** Position of the next entry. */; readonly nextSeq: number };

/** What consumers depend on; local and remote readers pass the same contract suite. */
export type EventReader = {
  head(): Promise<LogHead | undefined>;
  /** Entries from position `from` (inclusive) to the present end. */
  read(from: number, options?: { limit?: number; signal?: AbortSignal }): AsyncIterable<LogEntry>;
  /** As `read`, then waits for more until the signal aborts. */
  follow(from: number, options?: { signal?: AbortSignal }): AsyncIterable<LogEntry>;
};

/** A reader that also tells of the block under construction. */
export type ProvisionalReader = EventReader & {
  /** As `follow`, with provisional entries between those of the log. */
  followProvisional(from: number, options?: { signal?: AbortSignal }): AsyncIterable<FeedEntry>;
};
