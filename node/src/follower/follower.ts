import { describeError, handlingOf, isOpenLedgerError, type Logger, type Metrics, sleep } from '@openledger/kit';
import type { Engine } from '../engine/engine.ts';
import { executePayload } from '../engine/executePayload.ts';
import { nodeError } from '../errors.ts';
import type { RawBlock } from '../primitives/decodeBlock.ts';
import type { L2Rpc } from './l2Rpc.ts';

export type FollowerOptions = {
  engine: Engine;
  /** The sequencer, or a node that follows it. */
  source: L2Rpc;
  log: Logger;
  metrics: Metrics;
  pollMs?: number;
};

const POLL_MS = 500;
const RETRY_MS = 2_000;

/**
 * Keeps up with the sequencer's unsafe chain. Every block is executed here before it is the head; whether L1 says the same is
 * for derivation, which confirms the block as safe or replaces it.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #blocks;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#blocks = options.metrics.counter('followed_blocks_total', 'Unsafe blocks taken from the sequencer');
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, pollMs = POLL_MS } = this.#options;
    while (!signal.aborted) {
      try {
        if (!(await this.step())) await sleep(pollMs, signal);
      } catch (error) {
        if (handlingOf(error) === 'fatal') throw error;
        log.warn({ err: error, reason: describeError(error) }, 'cannot follow the sequencer, trying again');
        await sleep(RETRY_MS, signal);
      }
    }
  }

  /** Takes the next block over; false when there is none. @throws L2_UNAVAILABLE, L2_BAD_DATA, BLOCK_INVALID */
  async step(): Promise<boolean> {
    const { engine, source } = this.#options;
    const head = engine.heads.unsafe;
    const next = await source.blockByNumber(head.number + 1n);
    if (next?.header.parentHash === head.hash) {
      await this.#take(next);
      return true;
    }
    const { unsafe } = await source.heads();
    if (!next && (await engine.chain.isCanonical(unsafe))) return false;
    return this.#switch(next ? head.number : unsafe.number);
  }

  /** The sequencer is on another branch from some block at or below `from` on: goes over to it at the fork. */
  async #switch(from: bigint): Promise<boolean> {
    const { engine, source, log } = this.#options;
    const top = from < engine.heads.unsafe.number ? from : engine.heads.unsafe.number;
    for (let number = top; number >= engine.heads.safe.number; number--) {
      const theirs = await source.blockByNumber(number);
      if (!theirs) throw nodeError('L2_BAD_DATA', 'the sequencer lacks a block below its head', { number });
      if (!(await engine.chain.isCanonical({ hash: theirs.hash, number }))) continue;
      const child = await source.blockByNumber(number + 1n);
      if (!child) return false;
      log.warn({ number }, 'the sequencer went over to another branch');
      await this.#take(child);
      return true;
    }
    // Nothing to do here: L1 decides, and derivation follows it.
    log.warn({ safe: engine.heads.safe.number }, 'the sequencer and L1 disagree about a safe block');
    return false;
  }

  async #take(block: RawBlock): Promise<void> {
    const { engine, log } = this.#options;
    try {
      await engine.insert(await executePayload(engine, block));
    } catch (error) {
      if (isOpenLedgerError(error) && error.handling === 'reject') {
        throw nodeError(
          'L2_BAD_DATA',
          'the sequencer gave a block that is not valid',
          { number: block.header.number },
          error,
        );
      }
      throw error;
    }
    this.#blocks.inc();
    log.debug({ number: block.header.number }, 'unsafe block followed');
  }
}
