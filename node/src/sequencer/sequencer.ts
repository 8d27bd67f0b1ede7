import { describeError, handlingOf, isOpenLedgerError, type Logger, type Metrics, sleep } from '@openledger/kit';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import type { L1Source } from '../l1/l1Source.ts';
import type { Mempool } from '../mempool/mempool.ts';
import type { PendingChain } from '../pending/pendingChain.ts';
import type { Block } from '../primitives/block.ts';
import { BlockBuilder } from './blockBuilder.ts';
import { createSequencerMetrics } from './sequencerMetrics.ts';

export type SequencerOptions = {
  engine: Engine;
  mempool: Mempool;
  pending: PendingChain;
  l1: L1Source;
  /** L1 blocks that must stand on an origin before it is used. */
  l1Confirmations: bigint;
  /** Milliseconds between the flashblocks of a block; 0 builds each block at once when it is due. */
  flashblockMs: number;
  /** Unix time in milliseconds. */
  now(): number;
  log: Logger;
  metrics: Metrics;
};

/** Share of the block time that may go into executing transactions, so that the next block isn't late. */
const BUILD_SHARE = 0.6;
const RETRY_MS = 500;

/**
 * Makes a block every block time while it runs: opens it right after the one before, adds a flashblock every interval, seals it
 * when it is due. `step` makes one block, and `builder` does its parts one by one, for tests that drive time by hand.
 */
export class Sequencer {
  readonly builder: BlockBuilder;
  readonly #options: SequencerOptions;
  readonly #buildMs: number;
  readonly #sealSeconds;

  constructor(options: SequencerOptions) {
    this.#options = options;
    const { metrics, engine, mempool } = options;
    this.#buildMs = Number(engine.config.blockTime) * 1000 * BUILD_SHARE;
    this.#sealSeconds = metrics.histogram(
      'sequencer_sealing_seconds',
      'Time from the end of filling to committed block',
    );
    this.builder = new BlockBuilder({ ...options, metrics: createSequencerMetrics(metrics, mempool) });
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, flashblockMs } = this.#options;
    while (!signal.aborted) {
      try {
        if (flashblockMs === 0) await this.#oneWhenDue(signal);
        else await this.#oneInParts(signal, flashblockMs);
      } catch (error) {
        if (handlingOf(error) === 'fatal') throw error;
        log.warn({ err: error, reason: describeError(error) }, 'no block made, trying again');
        if (!isOpenLedgerError(error, 'HEAD_MOVED')) await sleep(RETRY_MS, signal);
      }
    }
    this.builder.withdraw('the sequencer stops');
  }

  /** One block: on the head, or after an L1 reorg on the last block that stands. */
  async advance(): Promise<Block> {
    try {
      return await this.step();
    } catch (error) {
      if (!isOpenLedgerError(error, 'L1_REORG')) throw error;
      return this.#followReorg();
    }
  }

  /**
   * Fills and commits the open block, or if there is none, one on the head or on an ancestor that an L1 reorg left valid.
   */
  async step(onto?: Block): Promise<Block> {
    if (onto || !this.builder.open) await this.builder.begin(onto);
    await this.builder.extend(this.#budget(this.#buildMs));
    return this.#seal();
  }

  async #oneWhenDue(signal: AbortSignal): Promise<void> {
    const { engine, now } = this.#options;
    const head = await engine.headBlock();
    const due = Number(head.header.timestamp + engine.config.blockTime) * 1000;
    if (now() < due) await sleep(due - now(), signal);
    if (!signal.aborted) await this.advance();
  }

  async #oneInParts(signal: AbortSignal, flashblockMs: number): Promise<void> {
    const { now } = this.#options;
    try {
      await this.builder.begin();
    } catch (error) {
      if (!isOpenLedgerError(error, 'L1_REORG')) throw error;
      await this.#followReorg();
      return;
    }
    const { open } = this.builder;
    const due = Number(open?.timestamp ?? 0n) * 1000;
    // Ticks count back from when the block is due; one that is late already has the whole budget at once.
    const ticks = Math.max(0, Math.ceil((due - now()) / flashblockMs) - 1);
    for (let tick = ticks; tick >= 0; tick--) {
      const wait = due - tick * flashblockMs - now();
      // Where filling took longer than the interval, ticks that were missed altogether are left out.
      if (wait <= -flashblockMs && tick > 0) continue;
      if (wait > 0) await sleep(wait, signal);
      if (signal.aborted) return;
      await this.builder.extend(this.#budget(ticks === 0 ? this.#buildMs : flashblockMs));
    }
    await this.#seal();
  }

  /** Milliseconds for the next part, within what the whole block may take. */
  #budget(wanted: number): number {
    const left = this.#buildMs - (this.builder.open?.spentMs ?? 0);
    return Math.max(0, Math.min(wanted, left));
  }

  async #seal(): Promise<Block> {
    const stop = this.#sealSeconds.startTimer();
    const block = await this.builder.seal();
    const seconds = stop();
    const { number } = block.header;
    this.#options.log.debug(
      { number, hash: block.hash, transactions: block.transactions.length, seconds },
      'block sequenced',
    );
    return block;
  }

  /**
   * L1 took back the head's origin: builds on the last block whose origin still stands. The engine takes the blocks after it
   * back, and the mempool takes their transactions in again.
   */
  async #followReorg(): Promise<Block> {
    const { engine, l1, log } = this.#options;
    const head = await engine.headBlock();
    let block = head;
    while ((await l1.blockByNumber(block.l1Origin.number))?.hash !== block.l1Origin.hash) {
      const parent = await engine.chain.blockByHash(block.header.parentHash);
      if (!parent || parent.header.number < engine.heads.finalized.number) {
        throw nodeError('L1_WRONG_CHAIN', 'no block since the finalized one has an origin on this L1');
      }
      if (parent.header.number < engine.heads.safe.number) {
        throw nodeError('L1_UNAVAILABLE', 'the safe head’s origin is gone; waiting for derivation to take it back');
      }
      block = parent;
    }
    const depth = head.header.number - block.header.number;
    log.warn({ depth, onto: block.header.number }, 'L1 reorg: building on the last block that stands');
    return this.step(block);
  }
}
