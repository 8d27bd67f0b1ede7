import type { AuditVotesRow } from '@openledger/indexer/views';
import { ListOrder } from './arguments.ts';
import { builder } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { byColumn, type Condition, equals, page, where } from './page.ts';
import { Recorded } from './recorded.ts';
import { Audit, AuditConnection, Batch, Model, Output } from './refs.ts';

const AuditStatus = builder.enumType('AuditStatus', {
  values: {
    OPEN: { value: 'open', description: 'Its auditor computes the output again.' },
    CONTESTED: { value: 'contested', description: 'The auditor found a fault, or reported nothing: the jurors vote.' },
    MATCHED: { value: 'matched', description: 'The auditor came to the same output.' },
    FAULTED: {
      value: 'faulted',
      description: 'Two jurors found the runner at fault, which cost it a part of its bond.',
    },
    DISMISSED: { value: 'dismissed', description: 'Two jurors came to the same output.' },
    UNDECIDED: { value: 'undecided', description: 'The jurors did not decide, or there were none.' },
  } as const,
});
type Status = 'open' | 'contested' | 'matched' | 'faulted' | 'dismissed' | 'undecided';

const AuditFinding = builder.enumType('AuditFinding', {
  values: {
    MATCHES: { value: 'matches' },
    DIFFERS: { value: 'differs' },
    UNAVAILABLE: { value: 'unavailable', description: 'The runner did not show what the output was made from.' },
  } as const,
});
type Finding = 'matches' | 'differs' | 'unavailable';

const AuditVote = builder.objectRef<AuditVotesRow>('AuditVote').implement({
  interfaces: [Recorded],
  description: 'A juror of a contested audit. Its place is that of the vote, before it that of the contest.',
  fields: (t) => ({
    juror: t.expose('juror', { type: 'Address' }),
    finding: t.field({
      type: AuditFinding,
      nullable: true,
      description: 'Null for who has not voted.',
      resolve: ({ finding }) => finding as Finding | null,
    }),
    detail: t.exposeString('detail', { nullable: true, description: 'In the juror’s words.' }),
  }),
});

const votesOfAudit = { table: 'audit_votes', column: 'output_id', orderBy: 'juror', limit: 3 } as const;

builder.node(Audit, {
  id: { resolve: ({ output_id }) => idOf(output_id) },
  loadOne: loadByKey('audits', 'output_id'),
  interfaces: [Recorded],
  description: 'An output that was drawn by chance to be computed again by another runner.',
  fields: (t) => ({
    outputId: t.expose('output_id', { type: 'Hex32' }),
    runner: t.expose('runner', { type: 'Address', description: 'Whose output it is.' }),
    auditor: t.expose('auditor', { type: 'Address' }),
    status: t.field({ type: AuditStatus, resolve: ({ status }) => status as Status }),
    finding: t.field({
      type: AuditFinding,
      nullable: true,
      description: 'What the auditor reported; null before, and when it reported nothing.',
      resolve: ({ finding }) => finding as Finding | null,
    }),
    detail: t.exposeString('detail', { nullable: true, description: 'In the auditor’s words.' }),
    votes: t.field({
      type: [AuditVote],
      description: 'The three jurors, once it was contested.',
      resolve: ({ output_id }, _args, { views }) => views.related(votesOfAudit, output_id),
    }),
    deadline: t.expose('deadline', { type: 'Uint256', description: 'Of the report, then of the votes. Unix seconds.' }),
    seed: t.expose('seed', { type: 'Hex32', description: 'Of the draw: the randomness of the beacon block.' }),
    sourceKind: t.expose('source_kind', { type: 'Long', description: '1 training job, 2 channel, 3 inference job.' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    model: t.field({
      type: Model,
      nullable: true,
      resolve: ({ model_id }, _args, { views }) => views.one('models', { model_id }),
    }),
    batch: t.field({
      type: Batch,
      nullable: true,
      resolve: ({ batch_index }, _args, { views }) => views.one('batches', { batch_index }),
    }),
    output: t.field({
      type: Output,
      nullable: true,
      resolve: ({ output_id, batch_index }, _args, { views }) =>
        views.one('outputs', { output_id, batch_index }, 'position'),
    }),
  }),
});

const AuditWhere = builder.inputType('AuditWhere', {
  fields: (t) => ({
    status: t.field({ type: AuditStatus }),
    runner: t.field({ type: 'Address' }),
    auditor: t.field({ type: 'Address' }),
    juror: t.field({ type: 'Address' }),
    modelId: t.field({ type: 'Uint256' }),
  }),
});

const withJuror = (juror: string | null | undefined): Condition | undefined =>
  juror === null || juror === undefined
    ? undefined
    : { sql: 'output_id IN (SELECT output_id FROM audit_votes WHERE juror = $)', values: [juror] };

builder.queryFields((t) => ({
  audits: t.connection(
    {
      type: Audit,
      args: {
        where: t.arg({ type: AuditWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(
          equals('status', args.where?.status),
          equals('runner', args.where?.runner),
          equals('auditor', args.where?.auditor),
          withJuror(args.where?.juror),
          equals('model_id', args.where?.modelId),
        );
        return page(views, { table: 'audits', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    AuditConnection,
  ),
  audit: t.field({
    type: Audit,
    nullable: true,
    args: { outputId: t.arg({ type: 'Hex32', required: true }) },
    resolve: (_root, { outputId }, { views }) => views.one('audits', { output_id: outputId }),
  }),
}));
