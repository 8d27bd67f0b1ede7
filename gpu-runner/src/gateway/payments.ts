import {
  inferenceCallSigner,
  networkOf,
  type Payment,
  paymentSchemes,
  signVoucher,
  type Voucher,
  voucherSigner,
} from '@openledger/client';
import type { Account, Address, Hex } from 'viem';
import type { Channel, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import { type Source, type SourceAccount, SourceAccounts } from './sourceAccounts.ts';

/** `release` ends the call: what it cost counts as served (nothing, when it failed), the rest is free again. */
export type Hold = {
  readonly source: Source;
  readonly payer: Address;
  /** The number of the call's output; taken once the answer is there. */
  takeNonce(): bigint;
  release(cost?: bigint): void;
};

/** The channel that pays for calls with an API key, and the account that signs its vouchers. */
export type OperatorChannel = { readonly channelId: bigint; readonly account: Account };

export type PaymentsOptions = {
  database: RunnerDatabase;
  view: RunnerView;
  runner: Address;
  chainId: number;
  /** The chain's time, unix milliseconds. */
  now(): number;
  operator?: OperatorChannel;
  /** Milliseconds that must be left of an inference job, so that its commit comes in time. */
  commitMarginMs?: number;
};

const COMMIT_MARGIN_MS = 120_000;

/**
 * Decides whether a call is paid for before it is served: by a channel's best voucher, which has to cover everything served so
 * far plus the most that the running calls can cost, or by an inference job's escrow.
 */
export class Payments {
  readonly #options: PaymentsOptions;
  readonly #accounts: SourceAccounts;

  constructor(options: PaymentsOptions) {
    this.#options = { ...options, runner: options.runner.toLowerCase() as Address };
    this.#accounts = new SourceAccounts(options.database, options.now);
  }

  /**
   * Accepts a payment and reserves `maxCost` on its source.
   * @param requestHash sha256 of the request's body, which an inference job names
   * @throws PAYMENT_REQUIRED, PAYMENT_INVALID, NOT_READY
   */
  async reserve(payment: Payment | undefined, maxCost: bigint, requestHash: Hex): Promise<Hold> {
    if (!payment) throw runnerError('PAYMENT_REQUIRED', 'this call has to be paid for', { maxCost });
    this.#ready();
    if (payment.network !== networkOf(this.#options.chainId)) throw invalid('the payment is for another chain');
    return payment.scheme === paymentSchemes.channel
      ? this.#reserveOnChannel(payment.voucher, maxCost)
      : this.#reserveJob(payment, maxCost, requestHash);
  }

  /** For a call with an API key: the operator's own channel pays. @throws OPERATOR_CREDIT_EXHAUSTED, NOT_READY */
  async reserveForKey(maxCost: bigint): Promise<Hold> {
    const { operator, view, chainId } = this.#options;
    this.#ready();
    const channel = operator && view.channels.get(operator.channelId);
    const exhausted = (message: string) => runnerError('OPERATOR_CREDIT_EXHAUSTED', message);
    if (!channel || channel.payer !== operator.account.address.toLowerCase() || !this.#open(channel)) {
      throw exhausted('no open channel pays for calls with API keys');
    }
    const account = await this.#account(channel);
    const needed = account.served + account.reserved + maxCost;
    if (needed > channel.deposit) throw exhausted('the channel for calls with API keys is used up');
    // Reserved before anything waits; the voucher follows and is on disk before the answer ends.
    const hold = this.#hold(channel, account, maxCost);
    try {
      if (needed > account.cumulative) {
        const message = { channelId: channel.id, cumulativeAmount: needed };
        await this.#keep(channel, account, await signVoucher(operator.account, chainId, message));
      }
      return hold;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #reserveOnChannel(voucher: Voucher, maxCost: bigint): Promise<Hold> {
    const channel = await this.#check(voucher);
    const account = await this.#account(channel);
    await this.#keep(channel, account, voucher);
    // From here on nothing waits, so that calls at the same time can't spend the same credit.
    if (!this.#open(channel)) throw invalid('the channel is closing');
    const needed = account.served + account.reserved + maxCost;
    if (account.cumulative < needed) {
      throw runnerError('PAYMENT_REQUIRED', 'the voucher does not cover this call', {
        maxCost,
        needed,
        channelId: channel.id,
        served: account.served,
        cumulative: account.cumulative,
        signature: account.signature,
      });
    }
    return this.#hold(channel, account, maxCost);
  }

  async #check(voucher: Voucher): Promise<Channel> {
    const { view, runner, chainId } = this.#options;
    const channel = view.channels.get(voucher.channelId);
    if (!channel || channel.runner !== runner) throw invalid('no such channel to this runner');
    if (!this.#open(channel)) throw invalid('the channel is closing');
    if (voucher.cumulativeAmount > channel.deposit) throw invalid('the voucher exceeds the deposit');
    const signer = await voucherSigner(chainId, voucher).catch((cause) => {
      throw invalid('the signature is malformed', cause);
    });
    if (signer.toLowerCase() !== channel.payer) throw invalid('the voucher is not signed by the channel’s payer');
    return channel;
  }

  async #reserveJob(payment: { jobId: bigint; signature: Hex }, maxCost: bigint, requestHash: Hex): Promise<Hold> {
    const { view, runner, chainId, now, commitMarginMs = COMMIT_MARGIN_MS } = this.#options;
    const { jobId } = payment;
    const job = view.inferenceJobs.get(jobId);
    const open = (): boolean => job?.status === 'requested' && job.runner === runner;
    if (!job || !open()) throw invalid('no such inference job that waits for this runner');
    if (job.requestHash !== requestHash) throw invalid('the job is for another request');
    if (Number(job.deadline) * 1000 < now() + commitMarginMs) throw invalid('the job ends too soon to be committed');
    const signer = await inferenceCallSigner(chainId, { jobId, requestHash }, payment.signature).catch((cause) => {
      throw invalid('the signature is malformed', cause);
    });
    if (signer.toLowerCase() !== job.payer) throw invalid('the call is not signed by the job’s payer');
    const source: Source = { kind: 3, id: jobId };
    const account = await this.#accounts.get(source, 0n);
    if (account.nextNonce > 0n || account.running > 0 || !open()) {
      throw invalid('the job was answered already, or is being answered');
    }
    if (maxCost > job.escrow) {
      throw runnerError('PAYMENT_REQUIRED', 'the escrow does not cover this call', { maxCost, needed: maxCost });
    }
    return this.#holdOf(source, job.payer, account, maxCost);
  }

  #ready(): void {
    if (!this.#options.view.ready) throw runnerError('NOT_READY', 'the chain is not read to its end yet');
  }

  #open = (channel: Channel): boolean => !channel.closing && !channel.closed;

  #account(channel: Channel): Promise<SourceAccount> {
    return this.#accounts.get({ kind: 2, id: channel.id }, channel.settled);
  }

  async #keep(channel: Channel, account: SourceAccount, voucher: Voucher): Promise<void> {
    if (voucher.cumulativeAmount <= account.cumulative) return;
    await this.#accounts.keepVoucher({ kind: 2, id: channel.id }, voucher);
    if (voucher.cumulativeAmount <= account.cumulative) return;
    account.cumulative = voucher.cumulativeAmount;
    account.signature = voucher.signature;
  }

  #hold(channel: Channel, account: SourceAccount, maxCost: bigint): Hold {
    return this.#holdOf({ kind: 2, id: channel.id }, channel.payer, account, maxCost);
  }

  #holdOf(source: Source, payer: Address, account: SourceAccount, maxCost: bigint): Hold {
    account.reserved += maxCost;
    account.running += 1;
    let open = true;
    return {
      source,
      payer,
      takeNonce: () => account.nextNonce++,
      release: (cost = 0n) => {
        if (!open) return;
        open = false;
        account.running -= 1;
        account.reserved -= maxCost;
        account.served += cost;
      },
    };
  }
}

const invalid = (message: string, cause?: unknown) => runnerError('PAYMENT_INVALID', message, {}, cause);
