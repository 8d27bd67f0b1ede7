import { randomBytes } from 'node:crypto';
import { maxSequencerDrift } from '@openledger/chain-config';
import type { ChainEvent } from '@openledger/event-log';
import { bytesToHex, type Hex } from 'viem';
import { type PayloadAttributes, preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import type { Engine } from '../engine/engine.ts';
import { decodeEvents } from '../events/decodeEvents.ts';
import type { BlockExecution, SealedBlock } from '../execution/blockExecution.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import { fillBlock, type RefusedTransaction } from '../mempool/fillBlock.ts';
import type { Mempool } from '../mempool/mempool.ts';
import type { Flashblock, PendingBlock } from '../pending/flashblock.ts';
import { PendingState } from '../pending/pendingState.ts';
import type { Block } from '../primitives/block.ts';
import { ZERO_HASH } from '../primitives/header.ts';

/** A block under construction on one parent: deposits first, then what each `extend` finds in the pool, in that order for good. */
export class OpenBlock {
  readonly payloadId: Hex = bytesToHex(randomBytes(8));
  readonly parent: Block;
  readonly origin: L1Block;
  /** The head when it was opened: its parent, or what it is to replace. */
  readonly head: Hex;
  readonly #engine: Engine;
  readonly #attributes: PayloadAttributes;
  readonly #execution: BlockExecution;
  readonly #refused = new Map<Hex, RefusedTransaction>();
  #state: PendingState;
  #flashblocks = 0;
  readonly #events: ChainEvent[] = [];
  /** Transactions and logs in the flashblocks so far. */
  #told = { transactions: 0, logs: 0 };
  #spentMs = 0;

  private constructor(
    engine: Engine,
    parts: { parent: Block; origin: L1Block; attributes: PayloadAttributes; execution: BlockExecution; head: Hex },
  ) {
    this.#engine = engine;
    this.parent = parts.parent;
    this.origin = parts.origin;
    this.head = parts.head;
    this.#attributes = parts.attributes;
    this.#execution = parts.execution;
    const { stateRoot } = parts.parent.header;
    const common = engine.rules.commonAt(parts.execution.header);
    this.#state = new PendingState(() => engine.states.at(stateRoot, common));
  }

  /** Executes the deposits. @throws L1_*, BLOCK_INVALID when no block can follow yet */
  static async begin(
    engine: Engine,
    l1: L1Source,
    { parent, origin, head }: Pick<OpenBlock, 'parent' | 'origin' | 'head'>,
  ): Promise<OpenBlock> {
    const attributes = await preparePayloadAttributes({ config: engine.config, parent, origin, l1 });
    const execution = await engine.begin(parent.hash, attributes.block, { noted: true });
    for (const deposit of attributes.deposits) await execution.apply(deposit);
    return new OpenBlock(engine, { parent, origin, attributes, execution, head });
  }

  /** Unix seconds. */
  get timestamp(): bigint {
    return this.#attributes.block.timestamp;
  }

  /** Signed transactions in it. */
  get size(): number {
    return this.#execution.transactionCount - this.#attributes.deposits.length;
  }

  /** Milliseconds that filling it has taken. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Transactions that can't follow its parent; to be dropped when it is committed. */
  get refused(): Iterable<RefusedTransaction> {
    return this.#refused.values();
  }

  /** Takes in what waits, for `budgetMs` at most and the transaction that it runs into. */
  async extend(mempool: Mempool, budgetMs: number): Promise<void> {
    const drift = this.timestamp - this.origin.timestamp;
    // Past the drift bound a block may only carry deposits (derivation.md, sequencer drift).
    const allowed = drift <= maxSequencerDrift(this.#engine.config, this.origin.timestamp);
    if (!allowed || this.#attributes.noTxPool) return;
    const started = performance.now();
    const sets = { skip: this.#refused, taken: mempool.preconfirmed };
    const refused = await fillBlock(this.#execution, mempool, budgetMs, sets);
    for (const item of refused) this.#refused.set(item.transaction.hash, item);
    this.#spentMs += performance.now() - started;
  }

  /** What came in since the last one; nothing when nothing did, but for the first, which stands for the block as begun. */
  async flashblock(): Promise<Flashblock | undefined> {
    const from = this.#told.transactions;
    if (this.#flashblocks > 0 && this.#execution.transactionCount === from) return undefined;
    const diff = await this.#execution.takeDiff();
    const block = this.#pending(diff);
    const fresh = { transactions: block.transactions.slice(from), receipts: block.receipts.slice(from) };
    const { logs } = this.#told;
    const events = decodeEvents(fresh).map((event) => ({
      ...event,
      txIndex: event.txIndex + from,
      logIndex: event.logIndex + logs,
    }));
    this.#told = {
      transactions: block.transactions.length,
      logs: fresh.receipts.reduce((sum, receipt) => sum + receipt.logs.length, logs),
    };
    this.#events.push(...events);
    return { payloadId: this.payloadId, index: this.#flashblocks++, block, from, events, diff };
  }

  /** Those of the whole block, if all of it was in flashblocks. */
  get events(): readonly ChainEvent[] | undefined {
    return this.#told.transactions === this.#execution.transactionCount ? this.#events : undefined;
  }

  /** Exactly what was applied, in that order. Not to be extended afterwards. */
  seal(): Promise<SealedBlock> {
    return this.#execution.seal();
  }

  #pending(diff: Flashblock['diff']): PendingBlock {
    const { header, transactions, receipts } = this.#execution.peek();
    const { origin: l1Origin, sequenceNumber } = this.#engine.rules.l1OriginOf(transactions);
    this.#state = this.#state.after(diff);
    const body = { transactions, receipts, withdrawals: [], uncles: [], l1Origin, sequenceNumber };
    return { hash: ZERO_HASH, header, ...body, state: this.#state };
  }
}
