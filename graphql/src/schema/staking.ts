import type { SlashesRow, StakesRow, UnbondingsRow } from '@openledger/indexer/views';
import { builder, connectionOf } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, equals, type Order, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import { Audit, AuditConnection, Runner, RunnerConnection, Settlement, SettlementConnection } from './refs.ts';

const Stake = builder.objectRef<StakesRow>('Stake').implement({
  interfaces: [Recorded],
  fields: (t) => ({
    staker: t.expose('staker', { type: 'Address' }),
    runner: t.expose('runner', { type: 'Address' }),
    stake: t.expose('stake', { type: 'Uint256', description: 'Wei of OPEN.' }),
  }),
});
const StakeConnection = connectionOf(Stake);

const Slash = builder.objectRef<SlashesRow>('Slash').implement({
  interfaces: [Recorded],
  fields: (t) => ({
    runner: t.expose('runner', { type: 'Address' }),
    amount: t.expose('amount', { type: 'Uint256', description: 'Wei of OPEN.' }),
    reason: t.exposeString('reason'),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
  }),
});
const SlashConnection = connectionOf(Slash);

const Unbonding = builder.objectRef<UnbondingsRow>('Unbonding').implement({
  interfaces: [Recorded],
  fields: (t) => ({
    account: t.expose('account', { type: 'Address' }),
    runner: t.expose('runner', { type: 'Address' }),
    amount: t.expose('amount', { type: 'Uint256', description: 'Wei of OPEN.' }),
    withdrawableAt: t.expose('withdrawable_at', { type: 'Uint256', description: 'Unix seconds.' }),
  }),
});
const UnbondingConnection = connectionOf(Unbonding);

builder.node(Runner, {
  id: { resolve: ({ runner }) => idOf(runner) },
  loadOne: loadByKey('runners', 'runner'),
  description: 'Who takes jobs against a bond.',
  fields: (t) => ({
    address: t.expose('runner', { type: 'Address' }),
    endpoint: t.exposeString('endpoint', {
      nullable: true,
      description: 'Where it says that it is reached, an http or https URL that nobody has checked.',
    }),
    bond: t.expose('bond', { type: 'Uint256', description: 'Wei of OPEN.' }),
    totalStake: t.expose('total_stake', { type: 'Uint256', description: 'Wei of OPEN, delegated to it.' }),
    slashed: t.expose('slashed', { type: 'Uint256', description: 'Wei of OPEN, in all.' }),
    settled: t.expose('settled', { type: 'Uint256', description: 'Wei of OPEN that its jobs and channels settled.' }),
    settlementCount: t.expose('settlement_count', { type: 'Long' }),
    stakes: t.connection(
      {
        type: Stake,
        resolve: ({ runner }, args, { views }) => {
          const order = byColumn('staker', 'OLDEST_FIRST');
          return page(views, { table: 'stakes', order, where: where(equals('runner', runner)) }, args);
        },
      },
      StakeConnection,
    ),
    slashes: t.connection(
      {
        type: Slash,
        resolve: ({ runner }, args, { views }) =>
          page(views, { table: 'slashes', order: byColumn('position'), where: where(equals('runner', runner)) }, args),
      },
      SlashConnection,
    ),
    settlements: t.connection(
      {
        type: Settlement,
        resolve: ({ runner }, args, { views }) =>
          page(
            views,
            { table: 'settlements', order: byColumn('position'), where: where(equals('runner', runner)) },
            args,
          ),
      },
      SettlementConnection,
    ),
    audits: t.connection(
      {
        type: Audit,
        description: 'Of its own outputs.',
        resolve: ({ runner }, args, { views }) =>
          page(views, { table: 'audits', order: byColumn('position'), where: where(equals('runner', runner)) }, args),
      },
      AuditConnection,
    ),
    auditing: t.connection(
      {
        type: Audit,
        description: 'Audits for which it was drawn as the auditor.',
        resolve: ({ runner }, args, { views }) =>
          page(views, { table: 'audits', order: byColumn('position'), where: where(equals('auditor', runner)) }, args),
      },
      AuditConnection,
    ),
  }),
});

const byStaker: Order = [
  { column: 'staker', descending: false },
  { column: 'runner', descending: false },
];

builder.queryFields((t) => ({
  runners: t.connection(
    {
      type: Runner,
      resolve: (_root, args, { views }) =>
        page(views, { table: 'runners', order: byColumn('runner', 'OLDEST_FIRST') }, args),
    },
    RunnerConnection,
  ),
  runner: t.field({
    type: Runner,
    nullable: true,
    args: { address: t.arg({ type: 'Address', required: true }) },
    resolve: (_root, { address }, { views }) => views.one('runners', { runner: address }),
  }),
  stakes: t.connection(
    {
      type: Stake,
      args: { staker: t.arg({ type: 'Address' }), runner: t.arg({ type: 'Address' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(equals('staker', args.staker), equals('runner', args.runner));
        return page(views, { table: 'stakes', order: byStaker, where: filter }, args);
      },
    },
    StakeConnection,
  ),
  slashes: t.connection(
    {
      type: Slash,
      resolve: (_root, args, { views }) => page(views, { table: 'slashes', order: byColumn('position') }, args),
    },
    SlashConnection,
  ),
  unbondings: t.connection(
    {
      type: Unbonding,
      args: { account: t.arg({ type: 'Address' }) },
      resolve: (_root, args, { views }) => {
        const filter = where(equals('account', args.account));
        return page(views, { table: 'unbondings', order: byColumn('position'), where: filter }, args);
      },
    },
    UnbondingConnection,
  ),
}));
