import { contracts } from '@openledger/client';
import { describeError, isOpenLedgerError, type Logger } from '@openledger/kit';
import type { Sender } from '../chain/transactor.ts';

const LEASE_SECONDS = 300;
/** Renewing at a third of the lease survives two lost renewals. */
const RENEW_MS = (LEASE_SECONDS * 1000) / 3;

/** Renews the leases of the jobs that this runner holds, whether they are being trained or wait for their requester. */
export class LeaseKeeper {
  readonly #transactor: Sender;
  readonly #log: Logger;
  readonly #held = new Map<bigint, NodeJS.Timeout>();

  constructor({ transactor, log }: { transactor: Sender; log: Logger }) {
    this.#transactor = transactor;
    this.#log = log;
  }

  /** From now on. A lease that the contract no longer renews is let go. */
  hold(jobId: bigint, attempt: number): void {
    this.release(jobId);
    const renew = () =>
      void this.renew(jobId, attempt).catch((error) => {
        this.#log.warn({ job: jobId.toString(), reason: describeError(error) }, 'lease not renewed');
        if (isOpenLedgerError(error, 'TRANSACTION_REVERTED')) this.release(jobId);
      });
    this.#held.set(jobId, setInterval(renew, RENEW_MS));
  }

  renew(jobId: bigint, attempt: number) {
    return this.#transactor.send({ ...contracts.jobs, functionName: 'renewLease', args: [jobId, attempt] });
  }

  release(jobId: bigint): void {
    clearInterval(this.#held.get(jobId));
    this.#held.delete(jobId);
  }

  close(): void {
    for (const jobId of [...this.#held.keys()]) this.release(jobId);
  }
}
