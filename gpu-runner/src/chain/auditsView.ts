import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import { type Address, type Hex, zeroAddress } from 'viem';

/** An audit as the chain tells of it; ids and addresses in lower case, times in unix seconds. */
export type Audit = {
  readonly outputId: Hex;
  readonly runner: Address;
  readonly auditor: Address;
  readonly modelId: bigint;
  readonly batchIndex: bigint;
  readonly sourceKind: number;
  status: 'open' | 'contested' | 'closed';
  /** Of the report, then of the votes. */
  deadline: bigint;
  /** None when there is no jury. */
  jurors: readonly Address[];
  readonly voted: Set<Address>;
};

export type RecentBatch = { readonly batchIndex: bigint; readonly blockNumber: bigint; readonly runner: Address };

/** Blocks that EIP-2935 keeps hashes of: for so long after its beacon block an audit can be opened. */
export const OPEN_WINDOW = 8_191n;

/** Audits, the batches that may still be audited, and where runners are reached: a part of the runner's view. */
export class AuditsView {
  readonly audits = new Map<Hex, Audit>();
  readonly endpoints = new Map<Address, string>();
  /** In the order of the chain. */
  readonly batches = new Map<bigint, RecentBatch>();
  /** Number of the last block. */
  head = 0n;

  clear(): void {
    for (const map of [this.audits, this.endpoints, this.batches]) map.clear();
    this.head = 0n;
  }

  apply({ number, events }: BlockEntry): void {
    this.head = number;
    for (const event of events) this.#evolve(event, number);
  }

  /** Audits that wait for something of this runner. */
  dutiesOf(account: Address): Audit[] {
    const me = account.toLowerCase() as Address;
    return [...this.audits.values()].filter(
      ({ status, auditor, jurors, voted }) =>
        (status === 'open' && auditor === me) || (status === 'contested' && jurors.includes(me) && !voted.has(me)),
    );
  }

  /** Who may be shown what an audited output was made from. */
  mayAsk(outputId: Hex, account: Address): boolean {
    const audit = this.audits.get(outputId);
    const who = account.toLowerCase() as Address;
    return audit !== undefined && audit.status !== 'closed' && (audit.auditor === who || audit.jurors.includes(who));
  }

  #evolve(event: ChainEvent, blockNumber: bigint): void {
    switch (event.type) {
      case 'EndpointAnnounced':
        this.endpoints.set(event.args.runner, event.args.endpoint);
        return;
      case 'BatchAppended': {
        const { batchIndex, runner } = event.args;
        this.batches.set(batchIndex, { batchIndex, blockNumber, runner });
        for (const [index, batch] of this.batches) {
          if (batch.blockNumber >= blockNumber - 2n * OPEN_WINDOW) return;
          this.batches.delete(index);
        }
        return;
      }
      case 'AuditOpened': {
        const { seed: _, ...audit } = event.args;
        this.audits.set(audit.outputId, { ...audit, status: 'open', jurors: [], voted: new Set() });
        return;
      }
      case 'AuditContested': {
        const { outputId, juror0, juror1, juror2, deadline } = event.args;
        const audit = this.audits.get(outputId);
        const jurors = [juror0, juror1, juror2].filter((juror) => juror !== zeroAddress);
        if (audit) Object.assign(audit, { status: 'contested', jurors, deadline });
        return;
      }
      case 'AuditVoted':
        this.audits.get(event.args.outputId)?.voted.add(event.args.juror);
        return;
      case 'AuditClosed': {
        const audit = this.audits.get(event.args.outputId);
        if (audit) audit.status = 'closed';
        return;
      }
      default:
    }
  }
}
