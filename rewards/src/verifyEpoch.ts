import type { EventArgs, EventReader } from '@openledger/event-log';
import { OpenLedgerError } from '@openledger/kit';
import { canonicalBlocks } from './canonicalBlocks.ts';
import { computeEpoch, type EpochLedger } from './epoch.ts';
import type { LedgerRules } from './ledger.ts';

export type Verification = {
  readonly epoch: bigint;
  readonly ok: boolean;
  /** The first thing that differs, by name, with both values. */
  readonly difference: { field: 'root' | 'total' | 'dataHash'; proposed: string; computed: string } | undefined;
  readonly ledger: EpochLedger;
};

/** The proposal of an epoch as the chain recorded it. @throws REWARDS_EPOCH_UNKNOWN */
export const findProposal = async (reader: EventReader, epoch: bigint): Promise<EventArgs<'RootProposed'>> => {
  let found: EventArgs<'RootProposed'> | undefined;
  for (const { events } of await canonicalBlocks(reader)) {
    for (const event of events) {
      if (event.type === 'RootProposed' && event.args.epoch === epoch) found = event.args;
    }
  }
  if (found) return found;
  throw new OpenLedgerError(`no root was proposed for epoch ${epoch}`, {
    code: 'REWARDS_EPOCH_UNKNOWN',
    handling: 'reject',
    action: 'Name an epoch that RootProposed events mention.',
  });
};

/** Recomputes a proposed epoch from the event log and compares everything that was committed to. */
export const verifyEpoch = async (options: {
  reader: EventReader;
  chainId: number;
  epoch: bigint;
  rules: LedgerRules;
}): Promise<Verification> => {
  const proposal = await findProposal(options.reader, options.epoch);
  const ledger = await computeEpoch({ ...options, toBlock: proposal.toBlock });
  const pairs = [
    ['root', proposal.root, ledger.root],
    ['total', proposal.total.toString(), ledger.total.toString()],
    ['dataHash', proposal.dataHash, ledger.dataHash],
  ] as const;
  const different = pairs.find(([, proposed, computed]) => proposed !== computed);
  return {
    epoch: options.epoch,
    ok: different === undefined,
    difference: different && { field: different[0], proposed: different[1], computed: different[2] },
    ledger,
  };
};
