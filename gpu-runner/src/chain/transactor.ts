import { type Call, ContractRefusedError, type OpenLedgerClient, sendTransaction } from '@openledger/client';
import { describeError, sleep } from '@openledger/kit';
import type { TransactionReceipt } from 'viem';
import { runnerError } from '../errors.ts';

const TRIES = 5;
const RETRY_MS = 1_000;

/** Who sends transactions for the runner, and how. */
export type Sender = Pick<Transactor, 'address' | 'send'>;

/** Sends the runner's transactions one after another, so that nonces never race; transport faults are tried again. */
export class Transactor {
  readonly #client: OpenLedgerClient;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(client: OpenLedgerClient) {
    this.#client = client;
  }

  get address() {
    return this.#client.account.address;
  }

  /** @throws TRANSACTION_REVERTED (meta.error is the contract's), CHAIN_UNAVAILABLE */
  send(call: Call): Promise<TransactionReceipt> {
    const result = this.#queue.then(() => this.#attempt(call));
    this.#queue = result.catch(() => {});
    return result;
  }

  async #attempt(call: Call): Promise<TransactionReceipt> {
    let last: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await sendTransaction(this.#client, call);
      } catch (error) {
        if (error instanceof ContractRefusedError) {
          throw runnerError('TRANSACTION_REVERTED', error.message, { error: error.errorName }, error);
        }
        last = error;
        await sleep(RETRY_MS * (attempt + 1));
      }
    }
    throw runnerError('CHAIN_UNAVAILABLE', `could not send ${call.functionName}: ${describeError(last)}`, {}, last);
  }
}
