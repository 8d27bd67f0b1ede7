import { decodePayment, type Voucher, voucherSigner } from '@openledger/client';
import type { Address } from 'viem';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from '../queue/database.ts';

/** Wei for a call: prices are per 1,000 tokens, rounded up to the payer's disadvantage by less than one wei per part. */
export const priceOf = (model: Model, promptTokens: number, outputTokens: number): bigint =>
  (BigInt(promptTokens) * model.inputPrice + 999n) / 1000n + (BigInt(outputTokens) * model.outputPrice + 999n) / 1000n;

/** Money of one channel: what was promised, and what has been served against it. Wei. */
type Account = { cumulative: bigint; served: bigint };

/**
 * Prepaid credit by signed vouchers. A call is served when the best voucher covers everything served so far plus the most
 * that the call can cost; what it doesn't use stays as credit for the next call.
 */
export class Payments {
  readonly #database: RunnerDatabase;
  readonly #view: RunnerView;
  readonly #runner: Address;
  readonly #chainId: number;
  readonly #reserved = new Map<bigint, bigint>();

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
  async reserve(header: string | undefined, maxCost: bigint): Promise<{ channelId: bigint; release(): void }> {
    if (!header) throw runnerError('PAYMENT_REQUIRED', 'this model has a price', { maxCost });
    const voucher = await this.#accept(header);
    const account = await this.#account(voucher.channelId);
    const reserved = this.#reserved.get(voucher.channelId) ?? 0n;
    const needed = account.served + reserved + maxCost;
    if (account.cumulative < needed) {
      throw runnerError('PAYMENT_REQUIRED', 'the voucher does not cover this call', {
        needed,
        cumulative: account.cumulative,
      });
    }
    this.#reserved.set(voucher.channelId, reserved + maxCost);
    let open = true;
    return {
      channelId: voucher.channelId,
      release: () => {
        if (open) this.#reserved.set(voucher.channelId, (this.#reserved.get(voucher.channelId) ?? 0n) - maxCost);
        open = false;
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

  async #account(channelId: bigint): Promise<Account> {
    const { rows } = await this.#database.query<{ cumulative: string; served: string }>(
      `SELECT v.cumulative::text AS cumulative,
              coalesce((SELECT sum((record->>'cost')::numeric) FROM runner.outputs WHERE channel_id = $1), 0)::text AS served
       FROM runner.vouchers v WHERE v.channel_id = $1`,
      [channelId.toString()],
    );
    return { cumulative: BigInt(rows[0]?.cumulative ?? 0), served: BigInt(rows[0]?.served ?? 0) };
  }
}
