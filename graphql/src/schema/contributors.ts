import { builder } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { attributionOrder, byColumn, equals, type Order, page, where } from './page.ts';
import {
  Attribution,
  AttributionConnection,
  Contribution,
  ContributionConnection,
  Contributor,
  ContributorConnection,
} from './refs.ts';

/** Sum of scores, then active days, then who came first: rejected files appear nowhere in it. */
const rankOrder: Order = [
  { column: 'score_sum', descending: true },
  { column: 'active_days', descending: true },
  { column: 'came_first', descending: false },
  { column: 'contributor', descending: false },
];

const orders = {
  rank: rankOrder,
  submitted: [
    { column: 'submitted', descending: true },
    { column: 'contributor', descending: false },
  ],
} satisfies Record<string, Order>;

const ContributorOrder = builder.enumType('ContributorOrder', {
  values: {
    RANK: { value: 'rank', description: 'Sum of scores, then active days, then who came first.' },
    MOST_SUBMITTED: { value: 'submitted' },
  } as const,
});

builder.node(Contributor, {
  id: { resolve: ({ contributor }) => idOf(contributor) },
  loadOne: loadByKey('contributors', 'contributor'),
  fields: (t) => ({
    address: t.expose('contributor', { type: 'Address' }),
    rank: t.field({
      type: 'Long',
      nullable: true,
      description: 'From 1; null without an accepted file. A rejected file never lowers it.',
      complexity: 10,
      resolve: async ({ contributor, accepted, score_sum, active_days, came_first }, _args, { views }) => {
        if (accepted === 0) return null;
        const [row] = await views.query<{ ahead: number }>(
          `SELECT count(*) AS ahead FROM contributors WHERE score_sum >= $1 AND (score_sum > $1 OR (active_days > $2
             OR (active_days = $2 AND (came_first < $3 OR (came_first = $3 AND contributor < $4)))))`,
          [score_sum, active_days, came_first, contributor],
        );
        return (row?.ahead ?? 0) + 1;
      },
    }),
    submitted: t.expose('submitted', { type: 'Long' }),
    accepted: t.expose('accepted', { type: 'Long' }),
    rejected: t.expose('rejected', { type: 'Long' }),
    decided: t.expose('decided', { type: 'Long' }),
    acceptanceRate: t.float({
      nullable: true,
      description: 'Accepted over decided files; null while none is decided. Not part of the rank.',
      resolve: ({ accepted, decided }) => (decided === 0 ? null : accepted / decided),
    }),
    scoreSum: t.expose('score_sum', { type: 'Long' }),
    activeDays: t.expose('active_days', {
      type: 'Long',
      description: 'UTC days on which at least one file was given that has been accepted.',
    }),
    firstAcceptedPosition: t.expose('first_accepted', { type: 'Long', nullable: true }),
    contributions: t.connection(
      {
        type: Contribution,
        resolve: ({ contributor }, args, { views }) => {
          const filter = where(equals('contributor', contributor));
          return page(views, { table: 'contributions', order: byColumn('contribution_id'), where: filter }, args);
        },
      },
      ContributionConnection,
    ),
    attributions: t.connection(
      {
        type: Attribution,
        resolve: ({ contributor }, args, { views }) => {
          const filter = where(equals('contributor', contributor));
          return page(views, { table: 'attributions', order: attributionOrder(), where: filter }, args);
        },
      },
      AttributionConnection,
    ),
  }),
});

builder.queryFields((t) => ({
  contributors: t.connection(
    {
      type: Contributor,
      args: { order: t.arg({ type: ContributorOrder, defaultValue: 'rank' }) },
      resolve: (_root, args, { views }) =>
        page(views, { table: 'contributors', order: orders[args.order ?? 'rank'] }, args),
    },
    ContributorConnection,
  ),
  contributor: t.field({
    type: Contributor,
    nullable: true,
    args: { address: t.arg({ type: 'Address', required: true }) },
    resolve: (_root, { address }, { views }) => views.one('contributors', { contributor: address }),
  }),
}));
