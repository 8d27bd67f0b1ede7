import type { BlockId } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { isOpenLedgerError, type Logger, type Metrics, type OpenLedgerError } from '@openledger/kit';
import { type Address, formatEther, type Hex, parseTransaction } from 'viem';
import { nodeError } from '../errors.ts';
import type { L1Inclusion, L1Sender } from './l1Sender.ts';
import { bumpedFees, defaultTxFeeOptions, freshFees, isWithinCap, type TxFeeOptions } from './txFees.ts';
import { type JournaledTx, type JournalOp, type TxAttempt, TxJournal, type TxRequest } from './txJournal.ts';
import { type TxManagerMetrics, txManagerMetrics } from './txManagerMetrics.ts';
import { TxSigner, type TxSignerOptions } from './txSigner.ts';

export type TxManagerOptions = TxSignerOptions & {
  readonly sender: L1Sender;
  readonly db: LevelDb;
  /** Of the journal's keys. */
  readonly prefix: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** L1 blocks that make an inclusion count, its own among them. */
  readonly confirmations?: number;
  /** L1 blocks after which a transaction that still waits offers more. */
  readonly resubmitAfter?: number;
  /** Transactions in L1's pool at a time. */
  readonly maxPending?: number;
  readonly fees?: Partial<TxFeeOptions>;
};

export type TxState = 'queued' | 'published' | 'included' | 'confirmed' | 'lost';

export type TrackedTx = JournaledTx & {
  readonly state: TxState;
  readonly inclusion?: L1Inclusion & { readonly hash: Hex };
};

type Tracked = {
  tx: JournaledTx;
  state: TxState;
  inclusion?: L1Inclusion & { readonly hash: Hex };
  /** Head at which the pool took the newest attempt; unknown after a restart or a refusal. */
  publishedAt?: bigint;
  /** Head at which its nonce was first seen used by none of its attempts. */
  missingSince?: bigint;
};

const DEFAULTS = { confirmations: 10, resubmitAfter: 4, maxPending: 1 } as const;
/** Heads for which a nonce has to stay used by a stranger before the transaction counts as lost; endpoints disagree for a while. */
const LOST_AFTER = 3n;
/** Raises in one go, when the pool says at once that it isn't enough. */
const MAX_RAISES = 20;
const TRANSFER_GAS = 21_000n;

/**
 * Sends one account's L1 transactions in the order in which they were submitted, without a nonce gap, until they have their
 * confirmations. Drive it by hand: `refresh` reads L1, `submit` queues, `publish` sends, resends and raises fees. Everything
 * is in the journal before L1 can know of it, so that a restart goes on where it was.
 */
export class TxManager {
  readonly #options: TxManagerOptions & typeof DEFAULTS;
  readonly #fees: TxFeeOptions;
  readonly #journal: TxJournal;
  readonly #signer: TxSigner;
  readonly #metrics: TxManagerMetrics;
  readonly #tracked: Tracked[] = [];
  #nextSequence = 0;
  #chainNonce = 0n;
  #head: BlockId | undefined;

  private constructor(options: TxManagerOptions) {
    this.#options = { ...DEFAULTS, ...options } as TxManagerOptions & typeof DEFAULTS;
    this.#fees = { ...defaultTxFeeOptions, ...options.fees };
    this.#journal = new TxJournal(options.db, options.prefix);
    this.#signer = new TxSigner(options);
    this.#metrics = txManagerMetrics(options.metrics);
  }

  static async open(options: TxManagerOptions): Promise<TxManager> {
    const manager = new TxManager(options);
    for (const tx of await manager.#journal.load()) manager.#track(tx);
    return manager;
  }

  get address(): Address {
    return this.#options.signer.address;
  }

  /** Of the last `refresh`. @throws L1_UNAVAILABLE before the first */
  get head(): BlockId {
    if (!this.#head) throw nodeError('L1_UNAVAILABLE', 'L1 was not read yet');
    return this.#head;
  }

  /** In the order of submission; abandoned ones are not among them. */
  get all(): readonly TrackedTx[] {
    return this.#tracked.filter(({ tx }) => !tx.isAbandoned).map(view);
  }

  get(id: string): TrackedTx | undefined {
    const found = this.#tracked.find(({ tx }) => tx.id === id && !tx.isAbandoned);
    return found && view(found);
  }

  /** Queues a transaction; one with this id that is already there is left as it is. */
  async submit(request: TxRequest): Promise<void> {
    if (this.get(request.id)) return;
    const { id, to, data, gas, blobs } = request;
    const tx = { id, to, data, gas, blobs, sequence: this.#nextSequence, attempts: [], isAbandoned: false };
    await this.#journal.write([this.#journal.put(tx)]);
    this.#track(tx);
  }

  /**
   * Stops following these. The nonces of those that L1 may know of are taken: they stay in the journal until they are through,
   * as empty transfers to ourselves where the pool lets those replace them (not blobs). `alongside` is written in the same batch.
   */
  async forget(ids: readonly string[], alongside: readonly JournalOp[] = []): Promise<void> {
    const gone = this.#tracked.filter(({ tx }) => ids.includes(tx.id) && !tx.isAbandoned);
    const isFree = (tracked: Tracked) => isThrough(tracked) || tracked.tx.attempts.length === 0;
    const kept = gone
      .filter((tracked) => !isFree(tracked))
      .map((tracked) => ({ tracked, tx: { ...tracked.tx, ...this.#emptied(tracked), isAbandoned: true } }));
    await this.#journal.write([
      ...gone.filter(isFree).map(({ tx }) => this.#journal.remove(tx)),
      ...kept.map(({ tx }) => this.#journal.put(tx)),
      ...alongside,
    ]);
    for (const tracked of gone.filter(isFree)) this.#untrack(tracked);
    for (const { tracked, tx } of kept) tracked.tx = tx;
  }

  #emptied(tracked: Tracked): Partial<TxRequest> {
    return isBlob(tracked) ? {} : { to: this.address, data: '0x', gas: TRANSFER_GAS };
  }

  /** Reads from L1 what became of everything. @throws L1_UNAVAILABLE, L1_WRONG_CHAIN */
  async refresh(): Promise<void> {
    const { sender, chainId } = this.#options;
    if (!this.#head && (await sender.chainId()) !== chainId) {
      throw nodeError('L1_WRONG_CHAIN', 'the L1 endpoint is of another chain', { expected: chainId });
    }
    const head = await sender.head();
    this.#chainNonce = await sender.nonce(this.address);
    this.#head = head;
    for (const tracked of this.#tracked) {
      if (tracked.tx.nonce !== undefined) await this.#refreshOne(tracked, tracked.tx.nonce, head.number);
    }
    const done = this.#tracked.filter((tracked) => tracked.tx.isAbandoned && isThrough(tracked));
    if (done.length > 0) await this.#journal.write(done.map(({ tx }) => this.#journal.remove(tx)));
    for (const tracked of done) this.#untrack(tracked);
    await this.#observe();
  }

  /** Sends what has to be sent, in order. Resolves with why it could not go on, when it could not; the next call tries again. */
  async publish(): Promise<OpenLedgerError | undefined> {
    await this.#fillGap();
    const open = this.#tracked.filter(({ state }) => state === 'queued' || state === 'published').sort(byNonce);
    for (const tracked of open.slice(0, this.#options.maxPending)) {
      // Pools keep blob transactions and others of one account apart and take only one kind at a time.
      if (isBlob(tracked) !== isBlob(open[0] ?? tracked)) return undefined;
      try {
        await this.#publishOne(tracked);
      } catch (error) {
        if (!isOpenLedgerError(error) || error.code === 'L1_UNAVAILABLE') throw error;
        this.#metrics.publishErrors.inc({ reason: error.code });
        this.#options.log.warn({ id: tracked.tx.id, reason: error.describe() }, 'L1 transaction not sent');
        return error;
      }
    }
    return undefined;
  }

  async #refreshOne(tracked: Tracked, nonce: bigint, head: bigint): Promise<void> {
    const before = tracked.inclusion;
    const inclusion = nonce < this.#chainNonce ? await this.#findInclusion(tracked.tx.attempts) : undefined;
    if (before && before.block.hash !== inclusion?.block.hash) {
      this.#options.log.warn({ id: tracked.tx.id, block: before.block.number }, 'L1 reorg took back a transaction');
    }
    if (inclusion) {
      const depth = head - inclusion.block.number + 1n;
      const isConfirmed = depth >= BigInt(this.#options.confirmations);
      if (isConfirmed && tracked.state !== 'confirmed') this.#metrics.confirmed.inc();
      tracked.inclusion = inclusion;
      tracked.state = isConfirmed ? 'confirmed' : 'included';
      delete tracked.missingSince;
      return;
    }
    if (before) delete tracked.publishedAt;
    delete tracked.inclusion;
    if (nonce >= this.#chainNonce) {
      delete tracked.missingSince;
      tracked.state = 'published';
      return;
    }
    tracked.missingSince ??= head;
    tracked.state = head - tracked.missingSince >= LOST_AFTER ? 'lost' : 'included';
  }

  async #findInclusion(attempts: readonly TxAttempt[]): Promise<Tracked['inclusion']> {
    for (const { hash } of attempts.toReversed()) {
      const inclusion = await this.#options.sender.inclusion(hash);
      if (inclusion) return { ...inclusion, hash };
    }
    return undefined;
  }

  /** Nonces below our lowest waiting one that nobody uses, as a deep reorg leaves them, get empty transfers to ourselves. */
  async #fillGap(): Promise<void> {
    const waiting = this.#tracked.flatMap(({ tx: { nonce } }) =>
      nonce !== undefined && nonce >= this.#chainNonce ? [nonce] : [],
    );
    const lowest = waiting.reduce((a, b) => (a < b ? a : b), waiting[0] ?? this.#chainNonce);
    for (let nonce = this.#chainNonce; nonce < lowest; nonce++) {
      const filler = { id: `gap-${nonce}`, to: this.address, data: '0x' as const, gas: TRANSFER_GAS, blobs: [] };
      const fees = freshFees(await this.#options.sender.fees(), false, this.#fees);
      const attempt = await this.#signer.sign(filler, nonce, fees);
      const tx = { ...filler, sequence: this.#nextSequence, nonce, attempts: [attempt], isAbandoned: true };
      await this.#journal.write([this.#journal.put(tx)]);
      this.#track(tx);
      this.#options.log.warn({ nonce }, 'filling a gap of nonces on L1');
    }
  }

  async #publishOne(tracked: Tracked): Promise<void> {
    const { sender, resubmitAfter } = this.#options;
    const last = tracked.tx.attempts.at(-1);
    if (!last || !carries(last, tracked.tx)) return this.#send(tracked, await this.#newAttempt(tracked));
    if (tracked.publishedAt === undefined) return this.#send(tracked, last);
    if (!(await sender.isKnown(last.hash))) {
      this.#options.log.warn(
        { id: tracked.tx.id, nonce: tracked.tx.nonce },
        'L1 dropped a transaction, sending it again',
      );
      return this.#send(tracked, last);
    }
    if (this.head.number - tracked.publishedAt >= BigInt(resubmitAfter)) {
      await this.#send(tracked, await this.#newAttempt(tracked));
    }
  }

  /** Sends an attempt, and better paid ones for as long as the pool wants more. @throws what the pool says, L1_TX_FEE_CAP */
  async #send(tracked: Tracked, attempt: TxAttempt): Promise<void> {
    delete tracked.publishedAt;
    for (let current = attempt, raises = 0; ; raises++) {
      try {
        await this.#options.sender.sendRaw(await this.#signer.sendable(tracked.tx, current));
        tracked.publishedAt = this.head.number;
        const { id, nonce } = tracked.tx;
        this.#options.log.info({ id, nonce, hash: current.hash, fee: current.maxFeePerGas }, 'L1 transaction sent');
        return;
      } catch (error) {
        if (!isOpenLedgerError(error, 'L1_TX_UNDERPRICED') || raises === MAX_RAISES) throw error;
        current = await this.#newAttempt(tracked);
      }
    }
  }

  /** Signs for today's fees, and more than before where there was a before. It is in the journal when this resolves. */
  async #newAttempt(tracked: Tracked): Promise<TxAttempt> {
    const { sender } = this.#options;
    const current = await sender.fees();
    const last = tracked.tx.attempts.at(-1);
    const isBlobTx = isBlob(tracked);
    const fees = last ? bumpedFees(last, current, isBlobTx, this.#fees) : freshFees(current, isBlobTx, this.#fees);
    if (!isWithinCap(fees, this.#fees)) {
      const { maxFeePerGas, maxFeePerBlobGas } = fees;
      throw nodeError('L1_TX_FEE_CAP', 'L1 wants more than the fee cap', { maxFeePerGas, maxFeePerBlobGas });
    }
    if (last) this.#metrics.bumps.inc();
    const nonce = tracked.tx.nonce ?? this.#nextNonce();
    const attempt = await this.#signer.sign(tracked.tx, nonce, fees);
    const outbid = tracked.tx.attempts.map((older) => ({ ...older, raw: '0x' as const }));
    const tx = { ...tracked.tx, nonce, attempts: [...outbid, attempt] };
    await this.#journal.write([this.#journal.put(tx)]);
    tracked.tx = tx;
    tracked.state = 'published';
    return attempt;
  }

  #nextNonce(): bigint {
    const next = (tx: JournaledTx) => (tx.nonce === undefined ? 0n : tx.nonce + 1n);
    return this.#tracked.reduce((highest, { tx }) => (next(tx) > highest ? next(tx) : highest), this.#chainNonce);
  }

  #track(tx: JournaledTx): void {
    this.#tracked.push({ tx, state: tx.nonce === undefined ? 'queued' : 'published' });
    this.#nextSequence = Math.max(this.#nextSequence, tx.sequence + 1);
  }

  #untrack(tracked: Tracked): void {
    this.#tracked.splice(this.#tracked.indexOf(tracked), 1);
  }

  async #observe(): Promise<void> {
    const { sender } = this.#options;
    const fees = await sender.fees();
    this.#metrics.balance.set(Number(formatEther(await sender.balance(this.address))));
    this.#metrics.baseFee.set(Number(fees.baseFee));
    this.#metrics.blobBaseFee.set(Number(fees.blobBaseFee));
    this.#metrics.nonce.set(Number(this.#nextNonce()));
    this.#metrics.pending.set(this.#tracked.filter(({ state }) => state === 'published').length);
  }
}

const isThrough = ({ state }: Tracked): boolean => state === 'confirmed' || state === 'lost';
const isBlob = ({ tx }: Tracked): boolean => tx.blobs.length > 0;
const view = ({ tx, state, inclusion }: Tracked): TrackedTx => ({ ...tx, state, ...(inclusion ? { inclusion } : {}) });

/** Whether the attempt is of the transaction as it is now; an abandoned one was emptied since. */
const carries = ({ raw }: TxAttempt, { isAbandoned, blobs, data }: JournaledTx): boolean =>
  !isAbandoned || blobs.length > 0 || (parseTransaction(raw).data ?? '0x') === data;

/** Those with a nonce by it, then the others in their order. */
const byNonce = (a: Tracked, b: Tracked): number => {
  if (a.tx.nonce === undefined || b.tx.nonce === undefined) {
    if (a.tx.nonce === b.tx.nonce) return a.tx.sequence - b.tx.sequence;
    return a.tx.nonce === undefined ? 1 : -1;
  }
  return Number(a.tx.nonce - b.tx.nonce);
};
