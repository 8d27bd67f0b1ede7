import type { FundingsRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder, connectionOf } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import { Claim, ClaimConnection, RewardEpoch, RewardEpochConnection } from './refs.ts';

const epochStatuses = {
  PROPOSED: { value: 'proposed' },
  FINAL: { value: 'final' },
  REJECTED: { value: 'rejected' },
} as const;
type EpochStatusValue = (typeof epochStatuses)[keyof typeof epochStatuses]['value'];
const RewardEpochStatus = builder.enumType('RewardEpochStatus', { values: epochStatuses });

const Funding = builder.objectRef<FundingsRow>('Funding').implement({
  interfaces: [Recorded],
  fields: (t) => ({
    fundingId: t.expose('funding_id', { type: 'Uint256' }),
    source: t.expose('source', { type: 'Address' }),
    amount: t.expose('amount', { type: 'Uint256', description: 'Wei of OPEN.' }),
    totalFunded: t.expose('total_funded', { type: 'Uint256', description: 'Wei of OPEN.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
  }),
});
const FundingConnection = connectionOf(Funding);

builder.node(RewardEpoch, {
  id: { resolve: ({ epoch }) => idOf(epoch) },
  loadOne: loadByKey('reward_epochs', 'epoch'),
  interfaces: [Recorded],
  description: 'A Merkle root over what every account has earned so far.',
  fields: (t) => ({
    epoch: t.expose('epoch', { type: 'Uint256' }),
    status: t.field({ type: RewardEpochStatus, resolve: ({ status }) => status as EpochStatusValue }),
    proposer: t.expose('proposer', { type: 'Address' }),
    root: t.expose('root', { type: 'Hex32' }),
    prevRoot: t.expose('prev_root', { type: 'Hex32' }),
    dataHash: t.expose('data_hash', { type: 'Hex32', description: "sha256 of the epoch's ledger file." }),
    traceRoot: t.expose('trace_root', { type: 'Hex32', description: 'Over the chunks of the trace behind the root.' }),
    treeRoot: t.expose('tree_root', { type: 'Hex32', description: "Over the chunks of the tree's nodes." }),
    accounts: t.expose('accounts', { type: 'Uint256', description: 'Leaves of the tree.' }),
    records: t.expose('records', { type: 'Uint256', description: 'Records of the trace.' }),
    toBlock: t.expose('to_block', { type: 'Uint256', description: 'Up to which block the ledger counts, inclusive.' }),
    total: t.expose('total', { type: 'Uint256', description: 'Sum of all leaves in wei of OPEN.' }),
    disputableUntil: t.expose('disputable_until', { type: 'Uint256', description: 'Unix seconds.' }),
    challenger: t.expose('challenger', { type: 'Address', nullable: true }),
    disputeReason: t.exposeString('dispute_reason', { nullable: true, description: 'What was shown to be wrong.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
  }),
});

builder.node(Claim, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('claims', 'position'),
  interfaces: [Recorded],
  fields: (t) => ({
    account: t.expose('account', { type: 'Address' }),
    recipient: t.expose('recipient', { type: 'Address', description: 'Who got the money.' }),
    token: t.expose('token', { type: 'Address' }),
    amount: t.expose('amount', { type: 'Uint256' }),
    cumulative: t.expose('cumulative', { type: 'Uint256', description: 'All that the account has claimed so far.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
  }),
});

builder.queryFields((t) => ({
  rewardEpochs: t.connection(
    {
      type: RewardEpoch,
      args: {
        status: t.arg({ type: RewardEpochStatus }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const order = byColumn('epoch', args.order);
        return page(views, { table: 'reward_epochs', order, where: where(equals('status', args.status)) }, args);
      },
    },
    RewardEpochConnection,
  ),
  rewardEpoch: t.field({
    type: RewardEpoch,
    nullable: true,
    args: { epoch: t.arg({ type: 'Uint256', required: true }) },
    resolve: (_root, { epoch }, { views }) => views.one('reward_epochs', { epoch }),
  }),
  claims: t.connection(
    {
      type: Claim,
      args: { account: t.arg({ type: 'Address' }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const order = byColumn('position', args.order);
        return page(views, { table: 'claims', order, where: where(equals('account', args.account)) }, args);
      },
    },
    ClaimConnection,
  ),
  fundings: t.connection(
    {
      type: Funding,
      args: { order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) =>
        page(views, { table: 'fundings', order: byColumn('funding_id', args.order) }, args),
    },
    FundingConnection,
  ),
  recipientOf: t.field({
    type: 'Address',
    description: 'Who gets what the account claims; the account itself unless it has named another.',
    args: { account: t.arg({ type: 'Address', required: true }) },
    resolve: async (_root, { account }, { views }) =>
      (await views.one('recipients', { account }))?.recipient ?? account,
  }),
}));
