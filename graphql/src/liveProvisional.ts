import { type Logger, sleep } from '@openledger/kit';

type ProvisionalEvent = {
  readonly type: string;
  readonly txIndex: number;
  readonly logIndex: number;
  readonly subIndex: number;
  readonly args: object;
};

/** What the node's feed tells, as far as it is needed here. */
type FeedItem =
  | { readonly kind: 'block'; readonly number: bigint }
  | { readonly kind: 'revert' }
  | { readonly kind: 'withdrawn'; readonly number: bigint; readonly payloadId: string }
  | {
      readonly kind: 'provisional';
      readonly number: bigint;
      readonly payloadId: string;
      readonly index: number;
      readonly firstTxIndex: number;
      readonly transactions: readonly string[];
      readonly events: readonly ProvisionalEvent[];
    };

/** Makes a stream of the node's feed from its present end on; it may end or fail, and is then asked for again. */
export type ProvisionalFeed = (signal: AbortSignal) => AsyncIterable<FeedItem>;

/** News of the block under construction. */
export type ProvisionalUpdate = {
  readonly status: 'PRECONFIRMED' | 'WITHDRAWN' | 'SEALED';
  readonly blockNumber: number;
  readonly payloadId: string;
  /** Of the flashblock; null when the block is sealed or withdrawn. */
  readonly index: number | null;
  readonly events: readonly (ProvisionalEvent & { readonly transactionHash: string })[];
};

type Subscriber = { queue: ProvisionalUpdate[]; told: boolean; wake(): void };

const RETRY_MS = 1_000;

/**
 * Hands the feed's provisional entries to subscribers; follows the feed only while there are any. A subscriber that lags holds
 * one open block's updates at most: what is sealed or withdrawn takes the place of what it hasn't taken.
 */
export class LiveProvisional {
  readonly #feed: ProvisionalFeed;
  readonly #log: Logger;
  readonly #subscribers = new Set<Subscriber>();
  #open: ProvisionalUpdate[] = [];
  #following: AbortController | undefined;
  #closed = false;

  constructor(feed: ProvisionalFeed, log: Logger) {
    this.#feed = feed;
    this.#log = log;
  }

  /** The open block so far, then what comes. */
  async *updates(): AsyncIterable<ProvisionalUpdate> {
    const subscriber: Subscriber = { queue: [...this.#open], told: this.#open.length > 0, wake: () => {} };
    this.#subscribers.add(subscriber);
    if (!this.#following) void this.#follow();
    try {
      while (!this.#closed) {
        const update = subscriber.queue.shift();
        if (update) yield update;
        else {
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve;
          });
        }
      }
    } finally {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) this.#stop();
    }
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const { wake } of this.#subscribers) wake();
  }

  #stop(): void {
    this.#following?.abort();
    this.#following = undefined;
    this.#open = [];
  }

  async #follow(): Promise<void> {
    const abort = new AbortController();
    this.#following = abort;
    while (!abort.signal.aborted) {
      try {
        for await (const item of this.#feed(abort.signal)) {
          if (abort.signal.aborted) return;
          this.#take(item);
        }
      } catch (error) {
        if (!abort.signal.aborted) this.#log.warn({ err: error }, 'feed of provisional events interrupted');
      }
      await sleep(RETRY_MS, abort.signal);
    }
  }

  #take(item: FeedItem): void {
    const [open] = this.#open;
    if (item.kind === 'provisional') {
      const { payloadId, index } = item;
      if (open && open.payloadId !== payloadId) this.#settle('WITHDRAWN', open);
      const blockNumber = Number(item.number);
      const events = item.events.map((event) => ({
        ...event,
        transactionHash: item.transactions[event.txIndex - item.firstTxIndex] ?? '',
      }));
      this.#tell({ status: 'PRECONFIRMED', blockNumber, payloadId, index, events });
    } else if (item.kind === 'withdrawn') {
      if (open?.payloadId === item.payloadId) this.#settle('WITHDRAWN', open);
    } else if (item.kind === 'block' && open && Number(item.number) >= open.blockNumber) this.#settle('SEALED', open);
  }

  #tell(update: ProvisionalUpdate): void {
    this.#open.push(update);
    for (const subscriber of this.#subscribers) {
      subscriber.told = true;
      subscriber.queue.push(update);
      subscriber.wake();
    }
  }

  /** Whoever was told of the open block is told what became of it, instead of what it hasn't taken yet. */
  #settle(status: 'WITHDRAWN' | 'SEALED', { blockNumber, payloadId }: ProvisionalUpdate): void {
    this.#open = [];
    for (const subscriber of this.#subscribers) {
      const others = subscriber.queue.filter((update) => update.payloadId !== payloadId);
      const untouched = subscriber.queue.some((update) => update.payloadId === payloadId && update.index === 0);
      subscriber.queue = others.slice(-1);
      if (subscriber.told && !untouched)
        subscriber.queue.push({ status, blockNumber, payloadId, index: null, events: [] });
      subscriber.told = false;
      subscriber.wake();
    }
  }
}
