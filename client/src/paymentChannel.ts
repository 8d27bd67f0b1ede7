import type { Account, Address, Hex } from 'viem';
import { type SignedReceipt, verifyReceipt } from './receipts.ts';
import { signVoucher, type Voucher, voucherSigner } from './vouchers.ts';

/** What has to outlive the process: the highest amount ever signed and what the runner has served of it. Wei. */
export type ChannelState = { readonly signed: bigint; readonly spent: bigint };

export type PaymentChannelOptions = {
  account: Account;
  chainId: number;
  runner: Address;
  channelId: bigint;
  /** Wei that may be signed away in all; at most the deposit. */
  budget: bigint;
  /** Wei that a runner may claim without a receipt before it is called dishonest (an answer may have been lost on its way). */
  tolerance?: bigint;
  state?: ChannelState;
  /** Called with every new state before the voucher leaves; store it there. */
  onChange?: (state: ChannelState) => void | Promise<void>;
};

/** The call would cost more than its user allowed. Nothing was signed. */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';
  readonly code = 'BUDGET_EXCEEDED';
}

/** The runner claims more than its receipts show, or its receipt is wrong. Keep the receipts: they are the evidence. */
export class DishonestRunnerError extends Error {
  override readonly name = 'DishonestRunnerError';
  readonly code = 'RUNNER_DISHONEST';
}

/**
 * One call's share of the channel. `settle` ends it: with the runner's receipt, or without one when nothing was served;
 * `lose` when the answer got lost, so that nobody here knows whether it was served.
 */
export type Authorization = {
  readonly voucher: Voucher;
  settle(receipt?: SignedReceipt, text?: string): Promise<void>;
  lose(): void;
};

/**
 * The payer's side of a channel. Each call gets a voucher over everything spent, plus the most that all running calls can
 * still cost; so parallel calls never sign for the same wei, and at most the running calls' amounts can be lost.
 */
export class PaymentChannel {
  readonly options: PaymentChannelOptions;
  #signed: bigint;
  #spent: bigint;
  #inFlight = 0n;
  /** What is explained by receipts, or was so before this process. Undefined until it is known. */
  #explained: bigint | undefined;

  constructor(options: PaymentChannelOptions) {
    this.options = options;
    this.#signed = options.state?.signed ?? 0n;
    this.#spent = options.state?.spent ?? 0n;
    this.#explained = options.state?.spent;
  }

  get state(): ChannelState {
    return { signed: this.#signed, spent: this.#spent };
  }

  /** Wei of the budget that no call has used or may still use. */
  get left(): bigint {
    return this.options.budget - this.#spent - this.#inFlight;
  }

  /** Signs for a call that costs at most `amount` wei. @throws BudgetExceededError */
  async authorize(amount: bigint): Promise<Authorization> {
    const { account, chainId, channelId, budget } = this.options;
    const needed = this.#spent + this.#inFlight + amount;
    if (needed > budget) {
      throw new BudgetExceededError(`the call costs up to ${amount} wei, ${this.left} of the budget are left`);
    }
    this.#inFlight += amount;
    if (needed > this.#signed) this.#signed = needed;
    const cumulativeAmount = this.#signed;
    let open = true;
    const end = () => {
      if (open) this.#inFlight -= amount;
      open = false;
    };
    try {
      await this.options.onChange?.(this.state);
      const voucher = await signVoucher(account, chainId, { channelId, cumulativeAmount });
      return {
        voucher,
        lose: () => {
          if (open && this.#explained !== undefined) this.#explained += amount;
          end();
        },
        settle: async (receipt, text) => {
          try {
            if (receipt && open) await this.#take(receipt, amount, text, end);
          } finally {
            end();
          }
        },
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * The runner says what it has served and which voucher it holds (its 402 does, when a voucher was too low). Believed up to an
   * amount that this account did sign, so that a client without its state can go on. @throws DishonestRunnerError
   */
  async resume(claim: { served: bigint; cumulativeAmount: bigint; signature: Hex }): Promise<void> {
    const { account, chainId, channelId } = this.options;
    if (claim.served <= this.#spent) return;
    const { cumulativeAmount, signature } = claim;
    const signer = await voucherSigner(chainId, { channelId, cumulativeAmount, signature }).catch(() => undefined);
    if (signer !== account.address || claim.served > cumulativeAmount) {
      throw new DishonestRunnerError(`the runner claims ${claim.served} wei that were never signed`);
    }
    if (cumulativeAmount > this.#signed) this.#signed = cumulativeAmount;
    this.#explained ??= claim.served;
    this.#check(claim.served);
    await this.options.onChange?.(this.state);
  }

  async #take(receipt: SignedReceipt, amount: bigint, text: string | undefined, end: () => void): Promise<void> {
    const { chainId, runner, channelId } = this.options;
    await verifyReceipt(receipt, { chainId, runner, ...(text === undefined ? {} : { text }) }).catch((cause) => {
      throw new DishonestRunnerError((cause as Error).message, { cause });
    });
    const { cost, sourceKind, sourceId } = receipt;
    if (sourceKind !== 2 || sourceId !== channelId) throw new DishonestRunnerError('the receipt is of another channel');
    if (cost > amount) throw new DishonestRunnerError(`${cost} wei were charged for a call of at most ${amount}`);
    end();
    // Without a state to start from, everything before the first receipt is taken as explained.
    this.#explained = (this.#explained ?? receipt.served - cost) + cost;
    this.#check(receipt.served);
    await this.options.onChange?.(this.state);
  }

  #check(served: bigint): void {
    const unexplained = served - (this.#explained ?? 0n) - this.#inFlight;
    if (served > this.#signed || unexplained > (this.options.tolerance ?? 0n)) {
      throw new DishonestRunnerError(`the runner claims ${served} wei, ${unexplained} of them without a receipt`);
    }
    if (served > this.#spent) this.#spent = served;
  }
}
