import type { EventArgs, EventReader } from '@openledger/event-log';
import { OpenLedgerError } from '@openledger/kit';
import { foldBlocks } from '../ledger/foldBlocks.ts';

export type Proposal = EventArgs<'RootProposed'> & {
  readonly status: 'proposed' | 'final' | 'rejected';
  /** The last block that the epoch before counts: what this one carries on from. */
  readonly fromBlock: bigint;
};

/** All epochs as the chain recorded them. */
export const readEpochs = async (reader: EventReader): Promise<ReadonlyMap<bigint, Proposal>> => {
  const { state } = await foldBlocks(reader, {
    start: () => ({ epochs: new Map<bigint, Proposal>(), finalTo: 0n }),
    apply: (known, { events }) => {
      for (const event of events) {
        if (event.type === 'RootProposed') {
          known.epochs.set(event.args.epoch, { ...event.args, status: 'proposed', fromBlock: known.finalTo });
        } else if (event.type === 'RootFinalized' || event.type === 'RootRejected') {
          const proposal = known.epochs.get(event.args.epoch);
          if (!proposal) continue;
          const status = event.type === 'RootFinalized' ? 'final' : 'rejected';
          known.epochs.set(event.args.epoch, { ...proposal, status });
          if (status === 'final') known.finalTo = proposal.toBlock;
        }
      }
    },
  });
  return state.epochs;
};

/** @throws REWARDS_EPOCH_UNKNOWN */
export const findProposal = async (reader: EventReader, epoch: bigint): Promise<Proposal> => {
  const found = (await readEpochs(reader)).get(epoch);
  if (found) return found;
  throw new OpenLedgerError(`no root was proposed for epoch ${epoch}`, {
    code: 'REWARDS_EPOCH_UNKNOWN',
    handling: 'reject',
    action: 'Name an epoch that RootProposed events mention.',
  });
};

/** The last block that the last final epoch counts; 0 before there is one. */
export const lastFinalBlock = async (reader: EventReader): Promise<bigint> =>
  [...(await readEpochs(reader)).values()]
    .filter(({ status }) => status === 'final')
    .reduce((last, { toBlock }) => (toBlock > last ? toBlock : last), 0n);
