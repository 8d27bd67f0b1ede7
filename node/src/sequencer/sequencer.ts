import { maxSequencerDrift } from '@openledger/chain-config';
import { describeError, handlingOf, isOpenLedgerError, type Logger, type Metrics, sleep } from '@openledger/kit';
import { preparePayloadAttributes } from '../attributes/payloadAttributes.ts';
import type { Engine } from '../engine/engine.ts';
import { nodeError } from '../errors.ts';
import type { L1Source } from '../l1/l1Source.ts';
import { fillBlock } from '../mempool/fillBlock.ts';
import type { Mempool } from '../mempool/mempool.ts';
import type { Block } from '../primitives/block.ts';
import { selectL1Origin } from './l1Origin.ts';

export type SequencerOptions = {
  engine: Engine;
  mempool: Mempool;
  l1: L1Source;
  /** L1 blocks that must stand on an origin before it is used. */
  l1Confirmations: bigint;
  /** Unix time in milliseconds. */
  now(): number;
  log: Logger;
  metrics: Metrics;
};

/** Share of the block time that may go into executing transactions, so that the next block isn't late. */
const BUILD_SHARE = 0.6;
const RETRY_MS = 500;

/** Makes a block every block time while it runs. `step` makes one, for tests that drive time by hand. */
export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #buildSeconds;
  readonly #transactions;

  constructor(options: SequencerOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#buildSeconds = metrics.histogram('sequencer_building_seconds', 'Time from attributes to committed block');
    this.#transactions = metrics.counter('transactions_sequenced_total', 'Signed transactions put into blocks');
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  async run(signal: AbortSignal): Promise<void> {
    const { engine, log, now } = this.#options;
    while (!signal.aborted) {
      try {
        const head = await engine.headBlock();
        const due = Number(head.header.timestamp + engine.config.blockTime) * 1000;
        if (now() < due) await sleep(due - now(), signal);
        if (signal.aborted) return;
        await this.advance();
      } catch (error) {
        if (handlingOf(error) === 'fatal') throw error;
        log.warn({ err: error, reason: describeError(error) }, 'no block made, trying again');
        await sleep(RETRY_MS, signal);
      }
    }
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

  /** Builds one block on the head, or on an ancestor that an L1 reorg left valid, and commits it. */
  async step(onto?: Block): Promise<Block> {
    const { engine, mempool, l1, log } = this.#options;
    const stop = this.#buildSeconds.startTimer();
    const parent = onto ?? (await engine.headBlock());
    const origin = await selectL1Origin({
      parent,
      config: engine.config,
      l1,
      confirmations: this.#options.l1Confirmations,
    });
    const attributes = await preparePayloadAttributes({ config: engine.config, parent, origin, l1 });
    const execution = await engine.begin(parent.hash, attributes.block);
    for (const deposit of attributes.deposits) await execution.apply(deposit);
    const drift = attributes.block.timestamp - origin.timestamp;
    // Past the drift bound a block may only carry deposits (derivation.md, sequencer drift).
    if (drift <= maxSequencerDrift(engine.config, origin.timestamp) && !attributes.noTxPool) {
      await fillBlock(execution, mempool, Number(engine.config.blockTime) * 1000 * BUILD_SHARE);
    }
    const block = await engine.insert(await execution.seal());
    const seconds = stop();
    const signed = block.transactions.length - attributes.deposits.length;
    this.#transactions.inc(signed);
    log.debug({ number: block.header.number, hash: block.hash, transactions: signed, seconds }, 'block sequenced');
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
