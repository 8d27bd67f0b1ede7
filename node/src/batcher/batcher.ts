import type { BlockId, RollupConfig } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import type { Logger, Metrics, OpenLedgerError } from '@openledger/kit';
import type { LocalAccount } from 'viem';
import { nodeError } from '../errors.ts';
import type { L1Sender } from '../l1/l1Sender.ts';
import { runSender } from '../l1/senderProcess.ts';
import { writeSynced } from '../l1/txJournal.ts';
import { TxManager, type TxManagerOptions } from '../l1/txManager.ts';
import { type BatcherMetrics, batcherMetrics } from './batcherMetrics.ts';
import { type BatcherOptions, defaultBatcherOptions } from './batcherOptions.ts';
import { addToReport, type BatcherReport, emptyReport } from './batcherReport.ts';
import type { BatchSource } from './batchSource.ts';
import { ChannelBuilder, type CloseReason } from './channelBuilder.ts';
import { channelFate, type ResetReason } from './channelFate.ts';
import { loadChannels, putChannel, removeChannel } from './channelJournal.ts';
import { type ClosedChannel, txIdsOf, txRequestOf } from './closedChannel.ts';

export type BatcherParts = {
  readonly source: BatchSource;
  readonly l1: L1Sender;
  readonly signer: LocalAccount;
  readonly config: RollupConfig;
  /** The journal's; keys start with `B`. */
  readonly db: LevelDb;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly options?: Partial<BatcherOptions>;
  readonly transactions?: Pick<
    TxManagerOptions,
    'confirmations' | 'resubmitAfter' | 'maxPending' | 'blobProofs' | 'fees'
  >;
};

export type BatcherStep = {
  /** The newest block in a channel, closed or not. */
  readonly batched: BlockId;
  readonly closed: readonly CloseReason[];
  readonly reset?: ResetReason;
  /** Why nothing more can be sent for now: no funds, fees above the cap. */
  readonly waiting?: OpenLedgerError;
};

/**
 * Gets the unsafe chain onto L1: blocks -> channel -> frames -> transactions to the batch inbox, in order and without nonce
 * gaps (holocene/derivation.md allows nothing else). A channel is in the journal before its first frame is sent, and stays until
 * its transactions are confirmed and the safe head has reached its last block. Whenever that can no longer happen, channels
 * are built anew from the safe head.
 */
export class Batcher {
  readonly #parts: BatcherParts;
  readonly #options: BatcherOptions;
  readonly #metrics: BatcherMetrics;
  readonly #transactions: TxManager;
  #channels: ClosedChannel[];
  #open: ChannelBuilder | undefined;
  #batched: BlockId | undefined;
  #nextSequence: number;
  #flush = false;
  /** L1 head at which the safe head was first seen behind. */
  #doubtSince: bigint | undefined;
  #report: BatcherReport = emptyReport;

  private constructor(parts: BatcherParts, transactions: TxManager, channels: ClosedChannel[]) {
    this.#parts = parts;
    this.#options = { ...defaultBatcherOptions, ...parts.options };
    this.#metrics = batcherMetrics(parts.metrics);
    this.#transactions = transactions;
    this.#channels = channels;
    this.#batched = channels.at(-1)?.last;
    this.#nextSequence = (channels.at(-1)?.sequence ?? -1) + 1;
  }

  static async open(parts: BatcherParts): Promise<Batcher> {
    const { l1, signer, config, db, log, metrics } = parts;
    const transactions = await TxManager.open({
      ...parts.transactions,
      ...{ sender: l1, signer, chainId: config.l1ChainId, db, prefix: 'Bt', log, metrics },
    });
    return new Batcher(parts, transactions, await loadChannels(db));
  }

  get report(): BatcherReport {
    return this.#report;
  }

  /** Closes the open channel at the next step, whatever is in it. */
  flush(): void {
    this.#flush = true;
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  run(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    return runSender(this, { name: 'batcher', pollIntervalMs: this.#options.pollIntervalMs, log }, signal);
  }

  /** One turn: see what became of what was sent, take in new blocks, send. @throws L1_UNAVAILABLE */
  async step(): Promise<BatcherStep> {
    await this.#transactions.refresh();
    const reset = await this.#settle();
    const closed = await this.#takeBlocks();
    for (const channel of this.#channels) await this.#submit(channel);
    const waiting = await this.#transactions.publish();
    this.#metrics.waiting.reset();
    if (waiting) this.#metrics.waiting.set({ reason: waiting.code }, 1);
    return { batched: this.#position, closed, ...(reset ? { reset } : {}), ...(waiting ? { waiting } : {}) };
  }

  get #position(): BlockId {
    if (!this.#batched) throw nodeError('STORE_CORRUPT', 'the batcher has no position yet');
    return this.#batched;
  }

  /** Drops what is done. When something can't be done any more, or doesn't fit the L2 chain, starts again at the safe head. */
  async #settle(): Promise<ResetReason | undefined> {
    const { source } = this.#parts;
    const derivedL1 = await source.derivedL1?.();
    const { safe } = await source.heads();
    this.#batched ??= safe;
    const fate = await this.#retireDone(safe);
    const canonical = await source.blockByNumber(this.#position.number);
    const broken = canonical?.hash === this.#position.hash ? fate : 'l2_reorg';
    if (broken && broken !== 'safe_head_stalled') return this.#reset(broken, safe);
    const next = this.#channels[0]?.first ?? this.#open?.first ?? this.#position.number + 1n;
    const doubt = safe.number + 1n < next ? 'safe_head_went_back' : broken;
    if (this.#isProven(doubt, derivedL1)) return this.#reset(doubt, safe);
    if (safe.number > this.#position.number) {
      this.#open = undefined;
      this.#batched = safe;
    }
    return undefined;
  }

  /** Why the first channel that isn't done never will be, if so. */
  async #retireDone(safe: BlockId): Promise<ResetReason | undefined> {
    const { number: l1Head } = this.#transactions.head;
    for (const channel of [...this.#channels]) {
      const transactions = txIdsOf(channel).map((id) => this.#transactions.get(id));
      const fate = channelFate({ channel, transactions, safe, l1Head, config: this.#parts.config });
      if (fate !== 'done') return fate === 'pending' ? undefined : fate;
      const cost = transactions.reduce((sum, tx) => sum + (tx?.inclusion?.cost ?? 0n), 0n);
      await this.#retire(channel, cost);
    }
    return undefined;
  }

  /**
   * A safe head that is behind where it should be may be about to move: derivation is slower than we are, or has started again.
   * It counts when derivation has since gone through a newer L1 block, or had a long time where it doesn't tell.
   */
  #isProven(doubt: ResetReason | undefined, derivedL1: bigint | undefined): doubt is ResetReason {
    const { number: head } = this.#transactions.head;
    this.#doubtSince = doubt ? (this.#doubtSince ?? head) : undefined;
    if (this.#doubtSince === undefined) return false;
    if (derivedL1 !== undefined) return derivedL1 > this.#doubtSince;
    return head >= this.#doubtSince + this.#options.safeHeadPatience;
  }

  async #retire(channel: ClosedChannel, cost: bigint): Promise<void> {
    await this.#transactions.forget(txIdsOf(channel), [removeChannel(channel)]);
    this.#channels.shift();
    this.#report = addToReport(this.#report, channel, cost);
    const { compressionRatio, l1CostPerTransaction } = this.#report;
    this.#metrics.costPerTransaction.set(Number(l1CostPerTransaction ?? 0n));
    const { id, first, last, l2Transactions } = channel;
    this.#parts.log.info(
      { channel: id, first, last: last.number, l2Transactions, l1Cost: cost, compressionRatio, l1CostPerTransaction },
      'channel is safe',
    );
  }

  async #reset(reason: ResetReason, safe: BlockId): Promise<ResetReason> {
    const ids = this.#channels.flatMap((channel) => txIdsOf(channel));
    await this.#transactions.forget(ids, this.#channels.map(removeChannel));
    this.#channels = [];
    this.#open = undefined;
    this.#batched = safe;
    this.#doubtSince = undefined;
    this.#metrics.resets.inc({ reason });
    this.#parts.log.warn({ reason, safe: safe.number }, 'building channels anew from the safe head');
    return reason;
  }

  async #takeBlocks(): Promise<CloseReason[]> {
    const { source } = this.#parts;
    const { unsafe } = await source.heads();
    const closed: CloseReason[] = [];
    const close = async (reason: CloseReason) => closed.push(await this.#close(reason));
    while (this.#position.number < unsafe.number && this.#channels.length < this.#options.maxQueuedChannels) {
      const block = await source.blockByNumber(this.#position.number + 1n);
      // The chain is changing under our hands; the next step sees it.
      if (!block || block.parentHash !== this.#position.hash) break;
      if (this.#open && !this.#open.add(block)) {
        await close(this.#open.fullReason);
        continue;
      }
      this.#open ??= new ChannelBuilder(
        block,
        this.#transactions.head.number,
        await this.#parts.l1.fees(),
        this.#parts.config,
        this.#options,
      );
      this.#batched = { number: block.number, hash: block.hash };
      this.#metrics.blocksAdded.inc();
    }
    const reason = this.#open?.closeReason(this.#transactions.head.number) ?? (this.#flush ? 'flush' : undefined);
    if (this.#open && reason) await close(reason);
    this.#flush = false;
    this.#metrics.pendingBlocks.set(Number(unsafe.number - this.#position.number));
    return closed;
  }

  async #close(reason: CloseReason): Promise<CloseReason> {
    const { db, l1, log } = this.#parts;
    if (!this.#open) return reason;
    const channel = this.#open.close(this.#nextSequence, await l1.fees());
    await writeSynced(db, [putChannel(channel)]);
    this.#nextSequence++;
    this.#channels.push(channel);
    this.#open = undefined;
    const { id, kind, first, last, inputBytes, compressedBytes, frames } = channel;
    this.#metrics.closedReason.inc({ reason });
    this.#metrics.inputBytes.inc(inputBytes);
    this.#metrics.outputBytes.inc(compressedBytes);
    this.#metrics.frames.set(frames.length);
    if (inputBytes > 0) this.#metrics.compression.observe(compressedBytes / inputBytes);
    if (kind === 'blobs') this.#metrics.blobUsedBytes.set(frames.at(-1)?.length ?? 0);
    log.info(
      { channel: id, reason, kind, first, last: last.number, inputBytes, compressedBytes, frames: frames.length },
      'channel closed',
    );
    return reason;
  }

  async #submit(channel: ClosedChannel): Promise<void> {
    const inbox = this.#parts.config.batchInboxAddress;
    for (const [index, id] of txIdsOf(channel).entries()) {
      if (this.#transactions.get(id)) continue;
      await this.#transactions.submit(txRequestOf(channel, index, inbox));
    }
  }
}
