import { contracts } from '@openledger/client';
import { encodePages, pagesRoot } from '@openledger/contracts';
import { describeError, isOpenLedgerError, type Logger, sleep } from '@openledger/kit';
import { bytesToHex, type Hex } from 'viem';
import type { RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import { type OutputRecord, toBatchOutput } from './outputs.ts';

export type SettlerModules = { database: RunnerDatabase; view: RunnerView; transactor: Sender; log: Logger };

const MAX_OUTPUTS = 500;
const MAX_VOUCHERS = 256;
/** Half of what the node takes as one transaction; vouchers need room, too. */
const MAX_BATCH_BYTES = 256 * 1024;

/**
 * Puts served outputs, their attributions and the best voucher of each channel on chain, many in one transaction.
 * The batch's root is written beside the outputs before it is sent; after a crash the chain says whether it got there.
 */
export class Settler {
  readonly #modules: SettlerModules;
  #last: Promise<unknown> = Promise.resolve();

  constructor(modules: SettlerModules) {
    this.#modules = modules;
  }

  async run(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(intervalMs, signal);
      await this.settleOnce().catch((error) =>
        this.#modules.log.warn({ reason: describeError(error) }, 'settlement failed'),
      );
    }
  }

  /** Settles at most one batch, after those that were asked for before; returns how many outputs it carried. */
  settleOnce(): Promise<number> {
    const settled = this.#last.then(() => this.#settle());
    this.#last = settled.catch(() => {});
    return settled;
  }

  async #settle(): Promise<number> {
    const { database, view, transactor, log } = this.#modules;
    // A view that is behind knows neither the batches nor the settled vouchers that are on chain already.
    if (!view.ready) return 0;
    await this.#recover();
    const { rows } = await database.query<{ record: OutputRecord }>(
      `SELECT record FROM runner.outputs WHERE settled_in IS NULL ORDER BY created_at, output_id LIMIT ${MAX_OUTPUTS}`,
    );
    if (rows.length === 0) return 0;
    const records = rows.map(({ record }) => record);
    const payable = new Set([...new Set(records.map(({ channelId }) => channelId))].slice(0, MAX_VOUCHERS));
    const { included, pages } = fitting(records.filter(({ channelId }) => payable.has(channelId)));
    // Outputs of channels that owe nothing new ride along or go alone.
    const vouchers = await this.#vouchersOf([...new Set(included.map(({ channelId }) => channelId))], view);
    await this.#mark(included, `sending:${pagesRoot(pages)}`);
    const data = pages.map((page) => bytesToHex(page));
    const call =
      vouchers.length > 0
        ? { ...contracts.jobs, functionName: 'settleChannels', args: [vouchers, data] }
        : { ...contracts.attributionLedger, functionName: 'append', args: [data] };
    try {
      const receipt = await transactor.send(call);
      await this.#mark(included, receipt.transactionHash);
      log.info({ outputs: included.length, vouchers: vouchers.length, tx: receipt.transactionHash }, 'outputs settled');
    } catch (error) {
      if (isOpenLedgerError(error, 'TRANSACTION_REVERTED')) await this.#mark(included, null);
      throw error;
    }
    return included.length;
  }

  /** Decides about batches that were being sent when the process ended. */
  async #recover(): Promise<void> {
    const { database, view } = this.#modules;
    const { rows } = await database.query<{ settled_in: string }>(
      "SELECT DISTINCT settled_in FROM runner.outputs WHERE settled_in LIKE 'sending:%'",
    );
    for (const { settled_in: mark } of rows) {
      const index = view.batchRoots.get(mark.slice('sending:'.length) as Hex);
      const settled = index === undefined ? null : `batch:${index}`;
      await database.query('UPDATE runner.outputs SET settled_in = $2 WHERE settled_in = $1', [mark, settled]);
    }
  }

  async #vouchersOf(channels: readonly string[], view: RunnerView) {
    const { rows } = await this.#modules.database.query<{ channel_id: string; cumulative: string; signature: Hex }>(
      'SELECT channel_id, cumulative::text AS cumulative, signature FROM runner.vouchers WHERE channel_id = ANY($1)',
      [channels],
    );
    return rows
      .map((row) => ({
        channelId: BigInt(row.channel_id),
        cumulativeAmount: BigInt(row.cumulative),
        signature: row.signature,
      }))
      .filter(({ channelId, cumulativeAmount }) => {
        const channel = view.channels.get(channelId);
        return channel && !channel.closed && cumulativeAmount > channel.settled;
      });
  }

  async #mark(records: readonly OutputRecord[], settledIn: string | null): Promise<void> {
    await this.#modules.database.query('UPDATE runner.outputs SET settled_in = $2 WHERE output_id = ANY($1)', [
      records.map(({ outputId }) => outputId),
      settledIn,
    ]);
  }
}

/** As many of the first outputs as one transaction holds; a single one always. */
const fitting = (records: readonly OutputRecord[]): { included: readonly OutputRecord[]; pages: Uint8Array[] } => {
  const pages = encodePages(records.map(toBatchOutput));
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  if (bytes < MAX_BATCH_BYTES || records.length === 1) return { included: records, pages };
  return fitting(records.slice(0, Math.floor(records.length / 2)));
};
