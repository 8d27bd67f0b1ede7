import type { Hex } from 'viem';
import type { RunnerDatabase } from '../queue/database.ts';

/** Who pays for an output; the numbers are those of the attribution batch. */
export type Source = { readonly kind: 2 | 3; readonly id: bigint };

/**
 * Money of one source: what was promised, what was served against it, and what running calls may still cost. Wei.
 * `nextNonce` numbers the outputs of the source, once each for ever.
 */
export type SourceAccount = {
  cumulative: bigint;
  signature: Hex | undefined;
  served: bigint;
  reserved: bigint;
  /** Calls that hold a reservation, also of nothing. */
  running: number;
  nextNonce: bigint;
};

type Row = { cumulative: string; signature: Hex | null; served: string; next_nonce: string };

/** Accounts in memory over the database. One process per database and runner (processLock.ts) makes the memory the judge. */
export class SourceAccounts {
  readonly #database: RunnerDatabase;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Promise<SourceAccount>>();

  constructor(database: RunnerDatabase, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /** @param settled wei that the chain says were settled on the source; nothing below it can be served again */
  get(source: Source, settled: bigint): Promise<SourceAccount> {
    const key = `${source.kind}/${source.id}`;
    const known = this.#accounts.get(key);
    if (known) return known;
    const loading = this.#load(source, settled);
    this.#accounts.set(key, loading);
    loading.catch(() => this.#accounts.delete(key));
    return loading;
  }

  /** Keeps the best voucher; a lower one changes nothing. */
  async keepVoucher(source: Source, voucher: { cumulativeAmount: bigint; signature: Hex }): Promise<void> {
    await this.#database.query(
      'UPDATE runner.sources SET cumulative = $3, signature = $4 WHERE kind = $1 AND id = $2 AND cumulative < $3',
      [source.kind, source.id.toString(), voucher.cumulativeAmount.toString(), voucher.signature],
    );
  }

  /**
   * A database that is new, or older than the chain, has forgotten outputs that were settled: their money counts as served, and
   * the numbers go on from the clock (milliseconds), because those that were given out are not known any more.
   */
  async #load(source: Source, settled: bigint): Promise<SourceAccount> {
    const { rows } = await this.#database.query<Row>(
      `INSERT INTO runner.sources AS known (kind, id, served, next_nonce)
       VALUES ($1, $2, $3, CASE WHEN $3::numeric > 0 THEN $4::bigint ELSE 0 END)
       ON CONFLICT (kind, id) DO UPDATE SET
         served = greatest(known.served, excluded.served),
         next_nonce = CASE WHEN known.served < excluded.served THEN greatest(known.next_nonce, $4::bigint)
                           ELSE known.next_nonce END
       RETURNING cumulative::text AS cumulative, signature, served::text AS served, next_nonce::text AS next_nonce`,
      [source.kind, source.id.toString(), settled.toString(), Math.floor(this.#now())],
    );
    const row = rows[0] as Row;
    return {
      cumulative: BigInt(row.cumulative),
      signature: row.signature ?? undefined,
      served: BigInt(row.served),
      reserved: 0n,
      running: 0,
      nextNonce: BigInt(row.next_nonce),
    };
  }
}
