import {
  type Call,
  ContractRefusedError,
  type OpenLedgerClient,
  type SignedTransaction,
  signTransaction,
} from '@openledger/client';
import { describeError, sleep } from '@openledger/kit';
import { type TransactionReceipt, TransactionReceiptNotFoundError, zeroHash } from 'viem';
import { runnerError } from '../errors.ts';

const TRIES = 5;
const RETRY_MS = 1_000;
const RECEIPT_TIMEOUT_MS = 120_000;
/** A node may have lost its mempool: what is under way is sent again every so often. */
const REBROADCAST_MS = 10_000;

/** What became of a transaction. `replaced`: its nonce went to another one, so it can never land. */
export type Outcome = TransactionReceipt | 'pending' | 'replaced';

export type SendOptions = {
  /** Called before the transaction leaves; what is written down here can be asked about after a crash. */
  onSigned?: (transaction: SignedTransaction) => Promise<void>;
};

/** Who sends transactions for the runner, and how. */
export type Sender = Pick<Transactor, 'address' | 'send' | 'outcome' | 'broadcast'>;

/**
 * Sends the runner's transactions one after another, so that nonces never race. Faults of the transport are tried again with
 * the same signed bytes, so that nothing is sent twice because its receipt was late.
 */
export class Transactor {
  readonly #client: OpenLedgerClient;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(client: OpenLedgerClient) {
    this.#client = client;
  }

  get address() {
    return this.#client.account.address;
  }

  /** @throws TRANSACTION_REVERTED (meta.error is the contract's), CHAIN_UNAVAILABLE (it may still land) */
  send(call: Call, options: SendOptions = {}): Promise<TransactionReceipt> {
    const result = this.#queue.then(() => this.#send(call, options));
    this.#queue = result.catch(() => {});
    return result;
  }

  async outcome({ hash, nonce }: Pick<SignedTransaction, 'hash' | 'nonce'>): Promise<Outcome> {
    // In this order: a nonce that was used before the receipt is asked for has its receipt by then.
    const used = (await this.#client.public.getTransactionCount({ address: this.address })) > nonce;
    const receipt = await this.#client.public.getTransactionReceipt({ hash }).catch((error) => {
      if (error instanceof TransactionReceiptNotFoundError) return undefined;
      throw error;
    });
    // A zero block hash is the sequencer's promise: what is simulated next would not know of it yet.
    if (receipt && receipt.blockHash !== zeroHash) return receipt;
    return used ? 'replaced' : 'pending';
  }

  /** Hands the same bytes over again. That a node knows them already, or the nonce is used, is no fault. */
  async broadcast(raw: SignedTransaction['raw']): Promise<void> {
    await this.#client.public.sendRawTransaction({ serializedTransaction: raw }).catch((error) => {
      if (!/already known|nonce too low|already imported|underpriced/i.test(describeError(error))) throw error;
    });
  }

  async #send(call: Call, { onSigned }: SendOptions): Promise<TransactionReceipt> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const signed = await this.#retrying(call, () => signTransaction(this.#client, call));
      await onSigned?.(signed);
      await this.#retrying(call, () => this.broadcast(signed.raw));
      const outcome = await this.#retrying(call, () => this.#awaitOutcome(signed));
      if (outcome === 'pending') throw unavailable(call, 'no receipt yet');
      if (outcome === 'replaced') continue;
      if (outcome.status === 'success') return outcome;
      throw runnerError('TRANSACTION_REVERTED', `${call.functionName} reverted in its block`, { error: 'reverted' });
    }
    throw unavailable(call, 'others use this account at the same time');
  }

  async #awaitOutcome(signed: SignedTransaction): Promise<Outcome> {
    const started = Date.now();
    let sent = started;
    while (Date.now() - started < RECEIPT_TIMEOUT_MS) {
      const outcome = await this.outcome(signed);
      if (outcome !== 'pending') return outcome;
      if (Date.now() - sent > REBROADCAST_MS) {
        await this.broadcast(signed.raw);
        sent = Date.now();
      }
      await sleep(this.#client.public.pollingInterval);
    }
    return 'pending';
  }

  async #retrying<T>(call: Call, work: () => Promise<T>): Promise<T> {
    let last: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof ContractRefusedError) {
          const meta = { error: error.errorName, subject: String(error.args[0] ?? '') };
          throw runnerError('TRANSACTION_REVERTED', error.message, meta, error);
        }
        last = error;
        await sleep(RETRY_MS * (attempt + 1));
      }
    }
    throw unavailable(call, describeError(last), last);
  }
}

const unavailable = (call: Call, reason: string, cause?: unknown) =>
  runnerError('CHAIN_UNAVAILABLE', `could not send ${call.functionName}: ${reason}`, {}, cause);
