import { contracts } from '@openledger/client';
import { encodePages, pagesRoot } from '@openledger/contracts';
import { describeError, isOpenLedgerError, type Logger, type OpenLedgerError, sleep } from '@openledger/kit';
import { bytesToHex, type Hex } from 'viem';
import type { RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import { type OutputRecord, toBatchOutput } from './outputs.ts';
import { Settlements } from './settlements.ts';

export type SettlerModules = { database: RunnerDatabase; view: RunnerView; transactor: Sender; log: Logger };

const MAX_OUTPUTS = 500;
/** Of one settlement: as many vouchers, or jobs, as Jobs takes. */
const MAX_SOURCES = 256;
/** Half of what the node takes as one transaction; vouchers need room, too. */
const MAX_BATCH_BYTES = 256 * 1024;
/** While a channel is closing: what still runs on it has to be on chain before its time is over. */
const CLOSING_INTERVAL_MS = 5_000;
/** So long a source waits that Jobs refused, so that it doesn't hold up all the others. */
const ASIDE_MS = 600_000;

/** Refusals that are about one source, which is their first argument. */
const channelErrors: ReadonlySet<unknown> = new Set([
  'UnknownChannel',
  'ChannelIsClosed',
  'NotChannelRunner',
  'StaleVoucher',
  'SettleOverVoucher',
  'Overdraw',
  'BadSignature',
]);
const jobErrors: ReadonlySet<unknown> = new Set([
  'UnknownJob',
  'InferenceNotWaiting',
  'NotInferenceRunner',
  'CostOverEscrow',
]);

/** How an output is paid: by its channel's voucher, by its job's escrow, or not at all any more. */
type Way = 'channel' | 'job' | 'unpaid';

/**
 * Puts served outputs and their attributions on chain, many in one transaction, and takes exactly their price: of a channel's
 * voucher, or of a job's escrow. So the money of a settlement is always that of the outputs that travel with it.
 */
export class Settler {
  readonly #modules: SettlerModules;
  readonly #settlements: Settlements;
  /** `${kind}/${id}` -> when it is tried again, milliseconds. */
  readonly #aside = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(modules: SettlerModules) {
    this.#modules = modules;
    this.#settlements = new Settlements(modules);
    modules.view.onCloseRequested = (channelId) => {
      if (this.#isClosing(channelId)) this.#wake();
    };
  }

  /** Settles all there is at every interval, at once when a channel is closing, and once more when it is told to end. */
  async run(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const closing = [...this.#modules.view.channels.keys()].some((channelId) => this.#isClosing(channelId));
      const pause = closing ? Math.min(intervalMs, CLOSING_INTERVAL_MS) : intervalMs;
      await sleep(pause, AbortSignal.any([signal, woken.signal]));
      try {
        while ((await this.settleOnce()) > 0 && !signal.aborted);
      } catch (error) {
        this.#modules.log.warn({ reason: describeError(error) }, 'settlement failed');
      }
    }
  }

  /** Whether a channel to this runner may be closed soon. */
  #isClosing(channelId: bigint): boolean {
    const { view, transactor } = this.#modules;
    const channel = view.channels.get(channelId);
    return channel?.closing === true && !channel.closed && channel.runner === transactor.address.toLowerCase();
  }

  /** Settles at most one batch, after those that were asked for before; returns how many outputs it carried. */
  settleOnce(): Promise<number> {
    const settled = this.#last.then(() => this.#settle());
    this.#last = settled.catch(() => {});
    return settled;
  }

  async #settle(): Promise<number> {
    const { view, transactor, log } = this.#modules;
    // A view that is behind knows neither the batches nor the channels that are on chain already.
    if (!view.ready || (await this.#settlements.reconcile()) > 0) return 0;
    const { way, records } = await this.#next();
    if (records.length === 0) return 0;
    const { included, pages } = fitting(records);
    const root = pagesRoot(pages);
    const call = await this.#callFor(
      way,
      included,
      pages.map((page) => bytesToHex(page)),
    );
    if (way === 'unpaid')
      log.error({ outputs: included.length }, 'outputs are recorded unpaid: their channel or job is over');
    try {
      const onSigned = (signed: Parameters<Settlements['begin']>[1]) => this.#settlements.begin(root, signed, included);
      const receipt = await transactor.send(call, { onSigned });
      log.info({ outputs: included.length, way, tx: receipt.transactionHash }, 'outputs settled');
    } catch (error) {
      if (isOpenLedgerError(error, 'TRANSACTION_REVERTED')) {
        await this.#settlements.release(root);
        this.#setAside(error);
      }
      throw error;
    }
    return included.length;
  }

  /** The oldest waiting outputs that are paid in one way. */
  async #next(): Promise<{ way: Way; records: readonly OutputRecord[] }> {
    const now = Date.now();
    for (const [key, until] of this.#aside) if (until <= now) this.#aside.delete(key);
    const { rows } = await this.#modules.database.query<{ record: OutputRecord }>(
      `SELECT record FROM runner.served WHERE settlement IS NULL AND NOT (source_kind || '/' || source_id = ANY($1))
       ORDER BY created_at, source_kind, source_id, nonce LIMIT ${MAX_OUTPUTS}`,
      [[...this.#aside.keys()]],
    );
    const waiting = rows.flatMap(({ record }) => {
      const [way, key] = [this.#wayOf(record), keyOf(record)];
      // A source that the chain doesn't know was taken back by a reorg, and comes back or never does.
      if (way === undefined) this.#aside.set(key, now + ASIDE_MS);
      return way === undefined ? [] : [{ record, way, key }];
    });
    const way = waiting[0]?.way ?? 'unpaid';
    const same = waiting.filter((one) => one.way === way);
    const sources = new Set([...new Set(same.map(({ key }) => key))].slice(0, MAX_SOURCES));
    return { way, records: same.filter(({ key }) => sources.has(key)).map(({ record }) => record) };
  }

  #wayOf({ sourceKind, sourceId }: OutputRecord): Way | undefined {
    const { view } = this.#modules;
    if (sourceKind === 3) {
      const job = view.inferenceJobs.get(BigInt(sourceId));
      return job && (job.status === 'requested' ? 'job' : 'unpaid');
    }
    const channel = view.channels.get(BigInt(sourceId));
    return channel && (channel.closed ? 'unpaid' : 'channel');
  }

  async #callFor(way: Way, included: readonly OutputRecord[], pages: readonly Hex[]) {
    if (way === 'job') {
      const costs = included.map(({ sourceId, cost }) => ({ jobId: BigInt(sourceId), amount: BigInt(cost) }));
      return { ...contracts.jobs, functionName: 'commitInference', args: [costs, pages] };
    }
    const vouchers = way === 'channel' ? await this.#vouchersFor(included) : [];
    return vouchers.length > 0
      ? { ...contracts.jobs, functionName: 'settleChannels', args: [vouchers, pages] }
      : { ...contracts.attributionLedger, functionName: 'append', args: [pages] };
  }

  /** Up to everything that was served on a channel, without what waits for a later settlement. */
  async #vouchersFor(included: readonly OutputRecord[]) {
    const due = new Map<string, bigint>();
    for (const { sourceId, cost } of included) due.set(sourceId, (due.get(sourceId) ?? 0n) + BigInt(cost));
    const { rows } = await this.#modules.database.query<{
      id: string;
      cumulative: string;
      signature: Hex;
      carried: string;
    }>(
      `SELECT id, cumulative::text AS cumulative, signature,
              (served - coalesce((SELECT sum(cost) FROM runner.served
                                  WHERE source_kind = 2 AND source_id = id AND settlement IS NULL), 0))::text AS carried
       FROM runner.sources WHERE kind = 2 AND id = ANY($1) AND signature IS NOT NULL ORDER BY id`,
      [[...due.keys()]],
    );
    return rows
      .map(({ id, cumulative, signature, carried }) => ({
        channelId: BigInt(id),
        cumulativeAmount: BigInt(cumulative),
        settleUpTo: BigInt(carried) + (due.get(id) ?? 0n),
        signature,
      }))
      .filter(({ channelId, settleUpTo }) => settleUpTo > (this.#modules.view.channels.get(channelId)?.settled ?? 0n));
  }

  #setAside({ meta }: OpenLedgerError): void {
    const kind = channelErrors.has(meta.error) ? 2 : jobErrors.has(meta.error) ? 3 : undefined;
    if (kind === undefined) return;
    this.#aside.set(`${kind}/${meta.subject}`, Date.now() + ASIDE_MS);
    this.#modules.log.error({ kind, id: meta.subject, reason: meta.error }, 'a source was refused and waits');
  }
}

const keyOf = ({ sourceKind, sourceId }: OutputRecord): string => `${sourceKind}/${sourceId}`;

/** As many of the first outputs as one transaction holds; a single one always. */
const fitting = (records: readonly OutputRecord[]): { included: readonly OutputRecord[]; pages: Uint8Array[] } => {
  const pages = encodePages(records.map(toBatchOutput));
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  if (bytes < MAX_BATCH_BYTES || records.length === 1) return { included: records, pages };
  return fitting(records.slice(0, Math.floor(records.length / 2)));
};
