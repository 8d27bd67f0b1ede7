import type { LevelDb } from '@openledger/event-log';
import type { Logger, Metrics } from '@openledger/kit';
import { type Address, type Hex, size } from 'viem';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import type { SignedL2Transaction } from '../primitives/transaction.ts';
import { admissionCost, checkStateless, feeCapOf, type MempoolLimits, tipCapOf } from './admission.ts';
import { Heap } from './heap.ts';
import { Journal } from './journal.ts';
import { createMempoolMetrics } from './mempoolMetrics.ts';

export const defaultLimits: MempoolLimits = {
  maxTransactions: 20_000,
  maxPerSender: 256,
  maxBytes: 512 * 1024,
  /** In memory a transaction takes about five times its bytes. */
  maxPoolBytes: 32 * 1024 * 1024,
  minTip: 0n,
  /** Percent by which a replacement has to raise both fees, as geth's pool asks. */
  priceBump: 10n,
};

type Entry = {
  readonly transaction: SignedL2Transaction;
  readonly nonce: bigint;
  readonly cost: bigint;
  readonly order: number;
  readonly bytes: number;
  /** On the clock of `performance.now`. */
  readonly admittedAt: number;
};

/** A block's time or so: the next one makes room. */
const RETRY_AFTER_MS = 1_000;

/**
 * Signed transactions that wait for a block. Per sender by nonce; a sender's transactions are executable up to the first nonce
 * gap. Accepted transactions are journaled with sync before the sender is told, so a kill doesn't lose them.
 */
export class Mempool {
  readonly #engine: Engine;
  readonly #journal: Journal;
  readonly #limits: MempoolLimits;
  readonly #log: Logger;
  readonly #metrics;
  readonly #bySender = new Map<Address, Map<bigint, Entry>>();
  readonly #byHash = new Map<Hex, Entry>();
  readonly #listeners = new Set<(transaction: SignedL2Transaction) => void>();
  /** In the open block: promised, so nothing takes their place. The block's builder keeps it. */
  readonly preconfirmed = new Set<Hex>();
  #order = 0;
  /** Of what waits here, and of what waits to be looked at. */
  #bytes = 0;
  #queuedBytes = 0;
  #admission: Promise<unknown> = Promise.resolve();

  private constructor(options: { engine: Engine; db: LevelDb; limits: MempoolLimits; log: Logger; metrics: Metrics }) {
    this.#engine = options.engine;
    this.#journal = new Journal(options.db);
    this.#limits = options.limits;
    this.#log = options.log;
    this.#metrics = createMempoolMetrics(options.metrics);
  }

  /** Reads the journal back; entries that are no longer valid are dropped. */
  static async open(options: {
    engine: Engine;
    db: LevelDb;
    log: Logger;
    metrics: Metrics;
    limits?: Partial<MempoolLimits>;
  }): Promise<Mempool> {
    const pool = new Mempool({ ...options, limits: { ...defaultLimits, ...options.limits } });
    for (const raw of await pool.#journal.all()) {
      await pool.#admit(raw, { promised: true }).catch((error) => {
        options.log.info({ err: error }, 'journaled transaction dropped');
      });
    }
    await pool.#journal.prune(pool.#byHash);
    options.engine.onBlock((block, reverted) => {
      const returned = reverted.flatMap((old) => old.transactions.filter((tx) => tx.kind === 'signed'));
      const included = new Set(block.transactions.map((tx) => tx.hash));
      for (const tx of returned) if (!included.has(tx.hash)) void pool.#return(tx.raw);
      pool.#removeIncluded(block.transactions.flatMap((tx) => (tx.kind === 'signed' ? [tx] : [])));
    });
    return pool;
  }

  /**
   * Returns after the transaction is on disk. When more comes than fits, it is turned away before any work goes into it.
   * @throws TX_*, MEMPOOL_FULL with retryAfterMs
   */
  async add(raw: Hex): Promise<Hex> {
    const bytes = size(raw);
    if (this.#bytes + this.#queuedBytes + bytes > this.#limits.maxPoolBytes) throw this.#full();
    this.#queuedBytes += bytes;
    try {
      return await this.#add(raw, { promised: false });
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  async #add(raw: Hex, options: { promised: boolean }): Promise<Hex> {
    const { transaction, replaced } = await this.#serialised(() => this.#admit(raw, options));
    await this.#journal.add(transaction, replaced);
    for (const listener of this.#listeners) listener(transaction);
    return transaction.hash;
  }

  /** A transaction of a block that was taken back; it has its place here whatever the limits say. */
  async #return(raw: Hex): Promise<void> {
    await this.#add(raw, { promised: true }).catch((error) => {
      this.#log.info({ err: error }, 'transaction of a reverted block not taken in again');
    });
  }

  /** When a transaction that waits here was taken in, on the clock of `performance.now`. */
  admittedAt(hash: Hex): number | undefined {
    return this.#byHash.get(hash)?.admittedAt;
  }

  get(hash: Hex): SignedL2Transaction | undefined {
    return this.#byHash.get(hash)?.transaction;
  }

  onTransaction(listener: (transaction: SignedL2Transaction) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next nonce for `sender`: what the state says plus the executable transactions here. */
  nextNonce(sender: Address, stateNonce: bigint): bigint {
    const entries = this.#bySender.get(sender.toLowerCase() as Address);
    let nonce = stateNonce;
    while (entries?.has(nonce)) nonce++;
    return nonce;
  }

  /** Executable and gapped transactions by sender and nonce, as txpool_content shows them. */
  async content(): Promise<{ pending: SignedL2Transaction[]; queued: SignedL2Transaction[] }> {
    const pending: SignedL2Transaction[] = [];
    const queued: SignedL2Transaction[] = [];
    for (const [sender, entries] of this.#bySender) {
      const next = this.nextNonce(sender, (await this.#account(sender)).nonce);
      for (const entry of [...entries.values()].sort((a, b) => (a.nonce < b.nonce ? -1 : 1))) {
        (entry.nonce < next ? pending : queued).push(entry.transaction);
      }
    }
    return { pending, queued };
  }

  /**
   * Best first: highest effective tip, then arrival; nonces of one sender in order. `next(false)` skips all later ones of
   * the sender whose transaction couldn't be included. `nonceOf` says where a sender goes on in a block that has transactions
   * already; those in it stay here until it is committed.
   */
  async *best(
    baseFee: bigint,
    nonceOf?: (sender: Address) => Promise<bigint>,
  ): AsyncGenerator<SignedL2Transaction, void, boolean | undefined> {
    type Candidate = { sender: Address; entry: Entry; tip: bigint };
    const heap = new Heap<Candidate>((a, b) => (a.tip === b.tip ? a.entry.order < b.entry.order : a.tip > b.tip));
    const offer = (sender: Address, nonce: bigint) => {
      const entry = this.#bySender.get(sender)?.get(nonce);
      const tip = entry ? effectiveTip(entry.transaction, baseFee) : -1n;
      if (entry && tip >= 0n) heap.push({ sender, entry, tip });
    };
    for (const sender of [...this.#bySender.keys()]) {
      const { nonce } = await this.#account(sender);
      await this.#dropBelow(sender, nonce);
      offer(sender, nonceOf ? await nonceOf(sender) : nonce);
    }
    for (let next = heap.pop(); next; next = heap.pop()) {
      const { sender, entry } = next;
      // Replaced or dropped since it was offered.
      if (this.#byHash.get(entry.transaction.hash) !== entry) offer(sender, entry.nonce);
      else if ((yield entry.transaction) !== false) offer(sender, entry.nonce + 1n);
    }
  }

  /** Drops a transaction that can never be included. */
  async drop(transaction: SignedL2Transaction, reason: string): Promise<void> {
    this.#log.info({ hash: transaction.hash, reason }, 'transaction dropped');
    this.#forget(transaction.hash);
    await this.#journal.remove([transaction.hash]);
  }

  /** A deposit or an authorization may use up a nonce for which a transaction waits here. */
  async #dropBelow(sender: Address, nonce: bigint): Promise<void> {
    for (const entry of [...(this.#bySender.get(sender)?.values() ?? [])]) {
      if (entry.nonce < nonce) await this.drop(entry.transaction, 'nonce is used');
    }
  }

  /** `promised`: its sender was told before that it will be included, so the pool's own bounds don't apply. */
  async #admit(
    raw: Hex,
    { promised }: { promised: boolean },
  ): Promise<{ transaction: SignedL2Transaction; replaced: Hex | undefined }> {
    checkStateless(raw, this.#limits);
    const head = await this.#engine.headBlock();
    const transaction = this.#engine.rules.decodeTransaction(raw, head.header);
    if (transaction.kind !== 'signed') throw nodeError('TX_TYPE_UNSUPPORTED', 'transaction type not supported');
    if (this.#byHash.has(transaction.hash)) throw nodeError('TX_ALREADY_KNOWN', 'already known');
    const sender = transaction.from.toLowerCase() as Address;
    const account = await this.#account(sender);
    const entries = this.#bySender.get(sender) ?? new Map<bigint, Entry>();
    const nonce = transaction.tx.nonce;
    if (nonce < account.nonce) {
      throw nodeError('TX_NONCE_TOO_LOW', `nonce too low: next nonce ${account.nonce}, tx nonce ${nonce}`);
    }
    if (nonce >= account.nonce + BigInt(this.#limits.maxPerSender)) {
      throw nodeError('TX_NONCE_TOO_HIGH', 'nonce too high', { next: account.nonce, nonce });
    }
    const cost = await admissionCost(transaction, head, this.#engine, this.#limits);
    const replaced = entries.get(nonce);
    const committed = [...entries.values()].reduce((sum, e) => (e.nonce === nonce ? sum : sum + e.cost), 0n);
    if (account.balance < committed + cost) {
      throw nodeError('TX_INSUFFICIENT_FUNDS', 'insufficient funds for gas * price + value', {
        balance: account.balance,
        required: committed + cost,
      });
    }
    if (replaced) this.#checkReplacement(replaced.transaction, transaction);
    else if (!promised && this.#byHash.size >= this.#limits.maxTransactions) throw this.#full();
    const bytes = size(raw);
    const entry: Entry = { transaction, nonce, cost, order: this.#order++, bytes, admittedAt: performance.now() };
    if (replaced) this.#forget(replaced.transaction.hash);
    this.#bytes += bytes;
    entries.set(nonce, entry);
    this.#bySender.set(sender, entries);
    this.#byHash.set(transaction.hash, entry);
    this.#metrics.holds(this.#byHash.size, this.#bytes);
    return { transaction, replaced: replaced?.transaction.hash };
  }

  #full() {
    this.#metrics.refused();
    return nodeError('MEMPOOL_FULL', 'txpool is full', { retryAfterMs: RETRY_AFTER_MS });
  }

  #checkReplacement(old: SignedL2Transaction, replacement: SignedL2Transaction): void {
    if (this.preconfirmed.has(old.hash)) {
      throw nodeError('TX_NONCE_TOO_LOW', 'nonce too low: a transaction with it is preconfirmed', { hash: old.hash });
    }
    const enough = (before: bigint, after: bigint) => after * 100n >= before * (100n + this.#limits.priceBump);
    if (enough(feeCapOf(old), feeCapOf(replacement)) && enough(tipCapOf(old), tipCapOf(replacement))) return;
    throw nodeError('TX_UNDERPRICED', 'replacement transaction underpriced', { replaces: old.hash });
  }

  #removeIncluded(transactions: readonly SignedL2Transaction[]): void {
    const gone: Hex[] = [];
    for (const transaction of transactions) {
      const sender = this.#bySender.get(transaction.from.toLowerCase() as Address);
      const rival = sender?.get(transaction.tx.nonce)?.transaction.hash;
      for (const hash of new Set([transaction.hash, rival])) {
        const entry = hash && this.#byHash.get(hash);
        if (!entry) continue;
        if (hash === transaction.hash) this.#metrics.included(entry.admittedAt);
        this.#forget(hash);
        gone.push(hash);
      }
    }
    if (gone.length === 0) return;
    void this.#journal.remove(gone).catch((error) => this.#log.error({ err: error }, 'journal clean-up failed'));
  }

  #forget(hash: Hex): void {
    const entry = this.#byHash.get(hash);
    if (!entry) return;
    const sender = entry.transaction.from.toLowerCase() as Address;
    this.#byHash.delete(hash);
    this.#bytes -= entry.bytes;
    const entries = this.#bySender.get(sender);
    if (entries?.get(entry.nonce) === entry) entries.delete(entry.nonce);
    if (entries?.size === 0) this.#bySender.delete(sender);
    this.#metrics.holds(this.#byHash.size, this.#bytes);
  }

  async #account(sender: Address): Promise<{ nonce: bigint; balance: bigint }> {
    return this.#engine.accountAtHead(sender);
  }

  #serialised<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#admission.then(work, work);
    this.#admission = result.catch(() => {});
    return result;
  }
}

const effectiveTip = (transaction: SignedL2Transaction, baseFee: bigint): bigint => {
  const room = feeCapOf(transaction) - baseFee;
  const tip = tipCapOf(transaction);
  return room < tip ? room : tip;
};
