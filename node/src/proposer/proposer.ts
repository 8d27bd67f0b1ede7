import type { BlockId } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import type { Logger, Metrics, OpenLedgerError } from '@openledger/kit';
import type { Hex, LocalAccount } from 'viem';
import { nodeError } from '../errors.ts';
import type { L1Sender } from '../l1/l1Sender.ts';
import { runSender } from '../l1/senderProcess.ts';
import { type TrackedTx, TxManager, type TxManagerOptions } from '../l1/txManager.ts';
import type { Block } from '../primitives/block.ts';
import type { OutputOracle } from './outputOracle.ts';
import { outputAtBlock } from './outputRoot.ts';

/** What the proposer asks of the L2 node beside it. */
export type OutputSource = {
  heads(): Promise<{ readonly safe: BlockId; readonly finalized: BlockId }>;
  /** Canonical. */
  blockByNumber(number: bigint): Promise<Pick<Block, 'hash' | 'header'> | undefined>;
};

export type ProposerParts = {
  readonly source: OutputSource;
  readonly oracle: OutputOracle;
  readonly l1: L1Sender;
  readonly signer: LocalAccount;
  readonly l1ChainId: number;
  /** The journal's; keys start with `O`. */
  readonly db: LevelDb;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Proposes outputs of safe blocks too; an L1 reorg may prove those wrong. By default of finalized ones only. */
  readonly allowNonFinalized?: boolean;
  readonly pollIntervalMs?: number;
  readonly transactions?: Pick<TxManagerOptions, 'confirmations' | 'resubmitAfter' | 'fees'>;
};

export type ProposerStep = {
  /** L2 block whose output is on its way or was just sent. */
  readonly proposing?: bigint;
  /** L2 blocks whose outputs got their confirmations. */
  readonly confirmed?: bigint;
  readonly waiting?: OpenLedgerError;
};

/** Room for the oracle's array to be colder than it was in the estimate. Percent. */
const GAS_MARGIN = 120n;
const DEFAULT_POLL_MS = 6_000;

/**
 * Puts output roots into L2OutputOracle, each when its L2 block is final (specs/protocol/proposals.md). The oracle says which is
 * next, so that nothing but the transaction on its way has to be remembered, and no output is proposed twice.
 */
export class Proposer {
  readonly #parts: ProposerParts;
  readonly #transactions: TxManager;
  readonly #proposed;

  private constructor(parts: ProposerParts, transactions: TxManager) {
    this.#parts = parts;
    this.#transactions = transactions;
    this.#proposed = parts.metrics.gauge('refs_number', 'L2 block of the newest output on L1', ['layer', 'type']);
  }

  static async open(parts: ProposerParts): Promise<Proposer> {
    const { l1, signer, l1ChainId, db, log, metrics } = parts;
    const transactions = await TxManager.open({
      ...parts.transactions,
      ...{ sender: l1, signer, chainId: l1ChainId, db, prefix: 'Ot', log, metrics },
    });
    return new Proposer(parts, transactions);
  }

  /** Runs until the signal aborts. A fatal error ends it by rejecting. */
  run(signal: AbortSignal): Promise<void> {
    const { log, pollIntervalMs = DEFAULT_POLL_MS } = this.#parts;
    return runSender(this, { name: 'proposer', pollIntervalMs, log }, signal);
  }

  /** One turn: at most one output is on its way at a time. @throws L1_UNAVAILABLE, OUTPUT_REFUSED, PROPOSER_NOT_ALLOWED */
  async step(): Promise<ProposerStep> {
    await this.#transactions.refresh();
    const [current] = this.#transactions.all;
    const confirmed = current && (await this.#settle(current));
    if (!this.#transactions.all.length) await this.#propose();
    const waiting = await this.#transactions.publish();
    const [pending] = this.#transactions.all;
    return {
      ...(pending ? { proposing: l2BlockOf(pending) } : {}),
      ...(confirmed === undefined ? {} : { confirmed }),
      ...(waiting ? { waiting } : {}),
    };
  }

  /** The L2 block of a proposal that is through. One that failed, or is not right any more, is made anew if it's still wanted. */
  async #settle(current: TrackedTx): Promise<bigint | undefined> {
    const { state, inclusion, id } = current;
    const number = l2BlockOf(current);
    const hasFailed = state === 'lost' || (state === 'confirmed' && !inclusion?.success);
    if (hasFailed || (!inclusion && !(await this.#isRight(current)))) {
      this.#parts.log.warn({ l2Block: number, state }, 'a proposal did not get into the oracle');
      await this.#transactions.forget([id]);
      return undefined;
    }
    if (state !== 'confirmed') return undefined;
    await this.#transactions.forget([id]);
    this.#proposed.set({ layer: 'l2', type: 'proposed' }, Number(number));
    this.#parts.log.info({ l2Block: number, cost: inclusion?.cost }, 'output is on L1');
    return number;
  }

  /** Still wanted by the oracle, and still the output of our chain. */
  async #isRight(current: TrackedTx): Promise<boolean> {
    const number = l2BlockOf(current);
    const block = await this.#parts.source.blockByNumber(number);
    if (!block || current.id !== idOf(number, outputAtBlock(block).outputRoot)) return false;
    return (await this.#parts.oracle.nextBlockNumber()) === number;
  }

  async #propose(): Promise<void> {
    const { source, oracle, signer, allowNonFinalized = false } = this.#parts;
    const number = await oracle.nextBlockNumber();
    const { safe, finalized } = await source.heads();
    if (number > (allowNonFinalized ? safe : finalized).number) return;
    const allowed = await oracle.proposer();
    if (allowed.toLowerCase() !== signer.address.toLowerCase()) {
      throw nodeError('PROPOSER_NOT_ALLOWED', 'L2OutputOracle has another proposer', { allowed });
    }
    const block = await source.blockByNumber(number);
    if (!block) throw nodeError('BLOCK_UNKNOWN_PARENT', 'the L2 node lacks a block below its head', { number });
    const { outputRoot } = outputAtBlock(block);
    const data = oracle.proposal({ outputRoot, l2BlockNumber: number, l1: await oracle.l1Reference() });
    const gas = ((await oracle.estimateGas(signer.address, data)) * GAS_MARGIN) / 100n;
    await this.#transactions.submit({ id: idOf(number, outputRoot), to: oracle.address, data, gas, blobs: [] });
    this.#parts.log.info({ l2Block: number, outputRoot }, 'proposing an output');
  }
}

const idOf = (number: bigint, outputRoot: Hex): string => `${number}:${outputRoot}`;
const l2BlockOf = ({ id }: TrackedTx): bigint => BigInt(id.split(':')[0] ?? 0);
