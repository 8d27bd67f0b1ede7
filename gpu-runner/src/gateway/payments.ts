import { decodePayment, type Voucher, voucherSigner } from '@openledger/client';
import type { Address } from 'viem';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from '../queue/database.ts';

/** Wei for a call: prices are per 1,000 tokens, rounded up to the payer's disadvantage by less than one wei per part. */
export const priceOf = (model: Model, promptTokens: number, outputTokens: number): bigint =>
  (BigInt(promptTokens) * model.inputPrice + 999n) / 1000n + (BigInt(outputTokens) * model.outputPrice + 999n) / 1000n;

/** Money of one channel: what was promised, what has been served against it, and what running calls may still cost. Wei. */
type Account = { cumulative: bigint; served: bigint; reserved: bigint };

/** `release` ends the call: what it cost counts as served (nothing, when it failed), the rest is free again. */
export type Hold = { readonly channelId: bigint; release(cost?: bigint): void };

/**
 * Prepaid credit by signed vouchers. A call is served when the best voucher covers everything served so far plus the most
 * that the call can cost; what it doesn't use stays as credit for the next call.
 */
export class Payments {
  readonly #database: RunnerDatabase;
  readonly #view: RunnerView;
  readonly #runner: Address;
  readonly #chainId: number;
  /** Read from the database once; from then on this process is the only one that changes them. */
  readonly #accounts = new Map<bigint, Promise<Account>>();

  constructor(options: { database: RunnerDatabase; view: RunnerView; runner: Address; chainId: number }) {
    this.#database = options.database;
    this.#view = options.view;
    this.#runner = options.runner.toLowerCase() as Address;
    this.#chainId = options.chainId;
  }

  /**
   * Accepts the voucher of the X-Payment header and reserves `maxCost` on its channel.
   * @throws PAYMENT_REQUIRED, PAYMENT_INVALID
   */
  async reserve(header: string | undefined, maxCost: bigint): Promise<Hold> {
    if (!header) throw runnerError('PAYMENT_REQUIRED', 'this model has a price', { maxCost });
    const { channelId, cumulativeAmount } = await this.#accept(header);
    const account = await this.#account(channelId);
    // From here on nothing waits, so that calls at the same time can't spend the same credit.
    if (account.cumulative < cumulativeAmount) account.cumulative = cumulativeAmount;
    const { cumulative } = account;
    const needed = account.served + account.reserved + maxCost;
    if (cumulative < needed) {
      throw runnerError('PAYMENT_REQUIRED', 'the voucher does not cover this call', { needed, cumulative });
    }
    account.reserved += maxCost;
    let open = true;
    return {
      channelId,
      release: (cost = 0n) => {
        if (!open) return;
        open = false;
        account.reserved -= maxCost;
        account.served += cost;
      },
    };
  }

  async #accept(header: string): Promise<Voucher> {
    const invalid = (message: string, cause?: unknown) => runnerError('PAYMENT_INVALID', message, {}, cause);
    let voucher: Voucher;
    try {
      voucher = decodePayment(header);
    } catch (cause) {
      throw invalid('X-Payment is not base64 JSON of a voucher', cause);
    }
    const channel = this.#view.channels.get(voucher.channelId);
    if (!channel || channel.runner !== this.#runner) throw invalid('no such channel to this runner');
    if (channel.closing || channel.closed) throw invalid('the channel is closing');
    if (voucher.cumulativeAmount > channel.deposit) throw invalid('the voucher exceeds the deposit');
    const signer = await voucherSigner(this.#chainId, voucher).catch((cause) => {
      throw invalid('the signature is malformed', cause);
    });
    if (signer.toLowerCase() !== channel.payer) throw invalid('the voucher is not signed by the channel’s payer');
    await this.#database.query(
      `INSERT INTO runner.vouchers (channel_id, cumulative, signature) VALUES ($1, $2, $3)
       ON CONFLICT (channel_id) DO UPDATE SET cumulative = excluded.cumulative, signature = excluded.signature
       WHERE runner.vouchers.cumulative < excluded.cumulative`,
      [voucher.channelId.toString(), voucher.cumulativeAmount.toString(), voucher.signature],
    );
    return voucher;
  }

  #account(channelId: bigint): Promise<Account> {
    const known = this.#accounts.get(channelId);
    if (known) return known;
    const loading = this.#load(channelId);
    this.#accounts.set(channelId, loading);
    loading.catch(() => this.#accounts.delete(channelId));
    return loading;
  }

  async #load(channelId: bigint): Promise<Account> {
    const { rows } = await this.#database.query<{ cumulative: string; served: string }>(
      `SELECT v.cumulative::text AS cumulative,
              coalesce((SELECT sum((record->>'cost')::numeric) FROM runner.outputs WHERE channel_id = $1), 0)::text AS served
       FROM runner.vouchers v WHERE v.channel_id = $1`,
      [channelId.toString()],
    );
    return { cumulative: BigInt(rows[0]?.cumulative ?? 0), served: BigInt(rows[0]?.served ?? 0), reserved: 0n };
  }
}
