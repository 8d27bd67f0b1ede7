import { readStatus, type ViewsStatus } from '@openledger/indexer/views';
import { builder } from './builder.ts';

const Meta = builder.objectRef<ViewsStatus>('Meta').implement({
  description: 'Up to where the answers show the chain.',
  fields: (t) => ({
    headSeq: t.expose('seq', { type: 'Long', description: 'Position of the next log entry that is not shown yet.' }),
    headBlock: t.expose('blockNumber', { type: 'Long', nullable: true }),
    headHash: t.expose('blockHash', { type: 'Hex32', nullable: true }),
    logHash: t.expose('logHash', { type: 'Hex32', nullable: true, description: 'Equal on nodes with the same chain.' }),
    indexedAt: t.string({
      description: 'When the views last moved, ISO 8601.',
      resolve: ({ indexedAt }) => new Date(indexedAt).toISOString(),
    }),
    feedBlock: t.expose('feedBlock', { type: 'Long', nullable: true, description: "The node's head, as last seen." }),
    lag: t.field({
      type: 'Long',
      nullable: true,
      description: 'Log entries that are not shown yet.',
      resolve: ({ feedSeq, seq }) => (feedSeq === null ? null : Math.max(0, feedSeq - seq)),
    }),
  }),
});

builder.queryField('meta', (t) =>
  t.field({
    type: Meta,
    nullable: true,
    description: 'Null while nothing was indexed yet.',
    resolve: async (_root, _args, { views }) => (await readStatus(views)) ?? null,
  }),
);
