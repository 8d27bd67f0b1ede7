import type { Projection } from './projection.ts';

/** What came in, the root of each epoch and how it fared, and what was claimed. */
export const rewards: Projection = {
  name: 'rewards',
  on: {
    Funded: ({ fundingId, source, amount, totalFunded }, at, changes) =>
      changes.insert('fundings', { funding_id: fundingId, source, amount, total_funded: totalFunded, ...at }),
    RootProposed: (args, at, changes) =>
      changes.insert('reward_epochs', {
        epoch: args.epoch,
        proposer: args.proposer,
        root: args.root,
        prev_root: args.prevRoot,
        data_hash: args.dataHash,
        trace_root: args.traceRoot,
        tree_root: args.treeRoot,
        records: args.records,
        accounts: args.accounts,
        to_block: args.toBlock,
        total: args.total,
        disputable_until: args.disputableUntil,
        updated_position: at.position,
        ...at,
      }),
    RootRejected: ({ epoch, challenger, reason }, { position }, changes) =>
      changes.update(
        'reward_epochs',
        { epoch },
        { status: 'rejected', challenger, dispute_reason: reason, updated_position: position },
      ),
    RootFinalized: ({ epoch }, { position }, changes) =>
      changes.update('reward_epochs', { epoch }, { status: 'final', updated_position: position }),
    Claimed: ({ account, recipient, token, amount, cumulative }, at, changes) =>
      changes.insert('claims', { account, recipient, token, amount, cumulative, ...at }),
    RecipientSet: ({ account, recipient }, { position }, changes) =>
      changes.upsert('recipients', { account }, { recipient, position }),
  },
};
