import { contracts } from '@openledger/client';
import { auditFindings, batchSourceKinds } from '@openledger/contracts';
import { describeError, isOpenLedgerError, type Logger, sleep } from '@openledger/kit';
import type { Account, Address, Hex } from 'viem';
import { type Audit, OPEN_WINDOW, type RecentBatch } from '../chain/auditsView.ts';
import type { Sender } from '../chain/transactor.ts';
import { runnerError } from '../errors.ts';
import { cutReason } from '../jobs/cutReason.ts';
import { AuditedRunner } from './auditedRunner.ts';
import type { AuditSource, DrawnOutput } from './auditSource.ts';
import { type AnswerModules, checkAnswer } from './checkAnswer.ts';
import { checkTraining, type TrainingCheckModules } from './checkTraining.ts';
import { type Finding, unavailable } from './finding.ts';
import type { Transcripts } from './transcripts.ts';

export type AuditorModules = AnswerModules &
  TrainingCheckModules & {
    source: AuditSource;
    transactor: Sender;
    transcripts: Pick<Transcripts, 'prune'>;
    /** Signs that this runner may see transcripts. */
    account: Account;
    chainId: number;
    /** Where others reach this runner; announced on chain. */
    endpoint?: string;
    /** Whether runners on this machine and in its network may be asked: on dev chains only. */
    allowPrivate: boolean;
    /** The chain's time, unix milliseconds. */
    now(): number;
    log: Logger;
    signal?: AbortSignal;
  };

/** So long the same is not done again: it failed, or the view hasn't heard of it yet. Milliseconds. */
const RETRY_MS = 60_000;
const PRUNE_MS = 3_600_000;
/** A block's time may be behind this machine's clock, seconds. */
const CLOCK_MARGIN = 15n;

/** Faults of the audited runner's server: it is at fault when they last. */
const peerErrors = ['PEER_UNREACHABLE', 'PEER_REFUSED', 'FILE_HASH_MISMATCH'] as const;

/**
 * Does this runner's part in auditing others (docs/spec/audits.md): opens the audits of drawn outputs, computes again what it is
 * auditor or juror of, says what it found, and closes what is overdue. Nothing is remembered but on chain: a restart repeats what
 * wasn't said yet.
 */
export class Auditor {
  readonly #modules: AuditorModules;
  /** Batches that were looked at, by index and block: a batch that comes again after a reorg is another one. */
  readonly #looked = new Map<string, RecentBatch>();
  readonly #drawn = new Map<Hex, DrawnOutput>();
  /** One answer and one training at a time: serving comes first on this machine. */
  readonly #running = new Map<'answer' | 'training', Promise<void>>();
  /** What was done or failed -> when it may be done again, unix milliseconds. */
  readonly #aside = new Map<string, number>();
  #pruned = 0;

  constructor(modules: AuditorModules) {
    this.#modules = modules;
  }

  async run(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(intervalMs, signal);
      if (signal.aborted) break;
      try {
        await this.step();
      } catch (error) {
        this.#modules.log.warn({ reason: describeError(error) }, 'audits not looked after');
      }
    }
    await this.idle();
  }

  /** Looks once at everything that is to do. Computing goes on behind it; `idle` waits for that. */
  async step(): Promise<void> {
    const { view, transcripts, now } = this.#modules;
    if (!view.ready) return;
    await this.#announce();
    await this.#draw();
    await this.#open();
    this.#takeUp();
    await this.#closeOverdue();
    if (now() - this.#pruned < PRUNE_MS) return;
    this.#pruned = now();
    const { batches } = view.audits;
    for (const [key, { batchIndex }] of this.#looked) if (!batches.has(batchIndex)) this.#looked.delete(key);
    for (const [key, until] of this.#aside) if (until <= now()) this.#aside.delete(key);
    await transcripts.prune();
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  get #me(): Address {
    return this.#modules.account.address.toLowerCase() as Address;
  }

  async #announce(): Promise<void> {
    const { view, endpoint } = this.#modules;
    if (endpoint === undefined || view.audits.endpoints.get(this.#me) === endpoint) return;
    await this.#attempt('announce', () => this.#send('staking', 'announce', [endpoint]));
  }

  async #draw(): Promise<void> {
    const { view, source } = this.#modules;
    const { head, batches } = view.audits;
    const { beaconDelay } = await source.rules();
    for (const batch of batches.values()) {
      const key = `${batch.batchIndex}/${batch.blockNumber}`;
      const beacon = batch.blockNumber + BigInt(beaconDelay);
      if (beacon > head) break;
      if (this.#looked.has(key)) continue;
      await this.#attempt(key, async () => {
        // Its own outputs a runner leaves to others; too old ones can't be audited any more.
        if (batch.runner !== this.#me && beacon + OPEN_WINDOW > head) {
          for (const drawn of await source.drawn(batch)) this.#drawn.set(drawn.outputId, drawn);
        }
        this.#looked.set(key, batch);
      });
    }
  }

  async #open(): Promise<void> {
    const { view, source, log } = this.#modules;
    const { head, audits } = view.audits;
    for (const [outputId, drawn] of this.#drawn) {
      if (audits.has(outputId) || drawn.openedByAll + OPEN_WINDOW < head) {
        this.#drawn.delete(outputId);
        continue;
      }
      if (drawn.auditor !== this.#me && head < drawn.openedByAll) continue;
      await this.#attempt(outputId, async () => {
        await this.#send('audits', 'open', await source.opening(drawn));
        log.info({ outputId, runner: drawn.batch.runner, auditor: drawn.auditor }, 'audit opened');
      });
    }
  }

  #takeUp(): void {
    const { view, now } = this.#modules;
    const time = BigInt(Math.floor(now() / 1000));
    for (const audit of view.audits.dutiesOf(this.#me)) {
      const lane = audit.sourceKind === batchSourceKinds.trainingJob ? 'training' : 'answer';
      if (this.#running.has(lane) || audit.deadline <= time || this.#isAside(`${audit.status}/${audit.outputId}`))
        continue;
      const work = this.#attempt(`${audit.status}/${audit.outputId}`, () => this.#perform(audit)).finally(() =>
        this.#running.delete(lane),
      );
      this.#running.set(lane, work);
    }
  }

  async #perform(audit: Audit): Promise<void> {
    const { log } = this.#modules;
    const { outputId } = audit;
    const [status, functionName] = [audit.status, audit.status === 'open' ? 'report' : 'vote'];
    const { finding, detail } = await this.#check(audit).catch((error) => this.#afterFailure(audit, error));
    // While it was computed, the others may have decided.
    if (audit.status !== status) return;
    await this.#send('audits', functionName, [outputId, auditFindings[finding], cutReason(detail)]);
    log.info({ outputId, runner: audit.runner, finding, detail }, `audit: ${functionName}`);
  }

  async #check(audit: Audit): Promise<Finding> {
    const { view, source, signal, account, chainId, allowPrivate, now } = this.#modules;
    const { outputId, batchIndex } = audit;
    const output = await source.output(batchIndex, outputId, view.audits.batches.get(batchIndex)?.blockNumber);
    const endpoint = view.audits.endpoints.get(audit.runner);
    if (!endpoint) throw runnerError('PEER_UNREACHABLE', 'the runner has announced no endpoint');
    const signals = signal ? { signal } : {};
    const runner = new AuditedRunner({ endpoint, outputId, account, chainId, allowPrivate, now, ...signals });
    const check = audit.sourceKind === batchSourceKinds.trainingJob ? checkTraining : checkAnswer;
    return check(output, runner, this.#modules, signal);
  }

  /** A runner that doesn't answer has half of the time to do so; what fails here is tried again until it works. */
  async #afterFailure(audit: Audit, error: unknown): Promise<Finding> {
    const { source, now } = this.#modules;
    if (!peerErrors.some((code) => isOpenLedgerError(error, code))) throw error;
    const { reportSeconds, voteSeconds } = await source.rules();
    const time = audit.status === 'open' ? reportSeconds : voteSeconds;
    if (BigInt(Math.floor(now() / 1000)) < audit.deadline - time / 2n) throw error;
    return unavailable(describeError(error));
  }

  async #closeOverdue(): Promise<void> {
    const { view, now } = this.#modules;
    const overdue = BigInt(Math.floor(now() / 1000)) - CLOCK_MARGIN;
    for (const { outputId, status, deadline } of view.audits.audits.values()) {
      if (status === 'closed' || deadline > overdue) continue;
      await this.#attempt(`close/${status}/${outputId}`, () => this.#send('audits', 'close', [outputId]));
    }
  }

  async #send(contract: 'audits' | 'staking', functionName: string, args: readonly unknown[]): Promise<void> {
    await this.#modules.transactor.send({ ...contracts[contract], functionName, args });
  }

  /** Does something unless it was tried a short while ago. That others were faster is a failure that needs no word. */
  async #attempt(key: string, work: () => Promise<void>): Promise<void> {
    const { log, now } = this.#modules;
    if (this.#isAside(key)) return;
    this.#aside.set(key, now() + RETRY_MS);
    try {
      await work();
    } catch (error) {
      // From now on: what fails late would otherwise be tried again at once.
      this.#aside.set(key, now() + RETRY_MS);
      const level = isOpenLedgerError(error, 'TRANSACTION_REVERTED') ? 'debug' : 'warn';
      log[level]({ what: key, reason: describeError(error) }, 'not done for an audit; tried again later');
    }
  }

  #isAside(key: string): boolean {
    const until = this.#aside.get(key);
    if (until === undefined) return false;
    if (until > this.#modules.now()) return true;
    this.#aside.delete(key);
    return false;
  }
}
