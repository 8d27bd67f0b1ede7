import type { SignedTransaction } from '@openledger/client';
import type { Hex } from 'viem';
import type { RunnerView } from '../chain/runnerView.ts';
import type { Sender } from '../chain/transactor.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import type { OutputRecord } from './outputs.ts';

type Row = { pages_root: Hex; transaction_hash: Hex; nonce: string; raw: Hex };

/**
 * The transactions that carry outputs, by the root over their pages. Outputs belong to one from before it is sent until it
 * is known that it can't land any more. The chain says whether it did: the view has seen the root, or there is a receipt.
 */
export class Settlements {
  readonly #database: RunnerDatabase;
  readonly #view: RunnerView;
  readonly #transactor: Sender;

  constructor(modules: { database: RunnerDatabase; view: RunnerView; transactor: Sender }) {
    this.#database = modules.database;
    this.#view = modules.view;
    this.#transactor = modules.transactor;
  }

  /** Writes down what is about to be sent, and which outputs it carries. */
  async begin(
    pagesRoot: Hex,
    { hash, nonce, raw }: SignedTransaction,
    records: readonly OutputRecord[],
  ): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query(
        `INSERT INTO runner.settlements (pages_root, transaction_hash, nonce, raw) VALUES ($1, $2, $3, $4)
         ON CONFLICT (pages_root) DO UPDATE
         SET transaction_hash = excluded.transaction_hash, nonce = excluded.nonce, raw = excluded.raw`,
        [pagesRoot, hash, nonce, raw],
      );
      await query('UPDATE runner.served SET settlement = $2 WHERE output_id = ANY($1)', [
        records.map(({ outputId }) => outputId),
        pagesRoot,
      ]);
    });
  }

  /** Its outputs wait again. */
  async release(pagesRoot: Hex): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query('UPDATE runner.served SET settlement = NULL WHERE settlement = $1', [pagesRoot]);
      await query('DELETE FROM runner.settlements WHERE pages_root = $1', [pagesRoot]);
    });
  }

  /**
   * Looks at each settlement that the view doesn't show: not seen yet, under way, or gone (reverted, replaced, taken back by a
   * reorg). Returns how many are still under way; while there is one, the next must not be made, because it would count on it.
   */
  async reconcile(): Promise<number> {
    // Older blocks are past every reorg.
    const { rows } = await this.#database.query<Row>(
      `SELECT pages_root, transaction_hash, nonce::text AS nonce, raw FROM runner.settlements
       WHERE sent_at > now() - interval '7 days' ORDER BY sent_at`,
    );
    let pending = 0;
    for (const row of rows.filter(({ pages_root }) => !this.#view.batchRoots.has(pages_root))) {
      const outcome = await this.#transactor.outcome({ hash: row.transaction_hash, nonce: Number(row.nonce) });
      if (outcome === 'pending') {
        pending += 1;
        await this.#transactor.broadcast(row.raw);
      } else if (outcome === 'replaced' || outcome.status === 'reverted') await this.release(row.pages_root);
    }
    return pending;
  }
}
