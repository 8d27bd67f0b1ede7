import type { EventUpdate } from '../liveViews.ts';
import { builder, type Context } from './builder.ts';
import { Block, Event, Job } from './refs.ts';

const EventUpdateRef = builder.objectRef<EventUpdate>('EventUpdate').implement({
  description: 'Either an event, or the news that everything after block `revertedTo` no longer counts.',
  fields: (t) => ({
    event: t.field({ type: Event, nullable: true, resolve: ({ event }) => event }),
    revertedTo: t.field({ type: 'Long', nullable: true, resolve: ({ revertedTo }) => revertedTo }),
  }),
});

/** Each update is resolved on the views of its own moment. */
const anew = <T>(update: T, _args: unknown, { views }: Context): T => {
  views.forget();
  return update;
};

builder.subscriptionFields((t) => ({
  newBlocks: t.field({
    type: Block,
    description: 'Blocks as they come in; after a reorg the numbers go back.',
    subscribe: (_root, _args, { live }) => live.newBlocks(),
    resolve: anew,
  }),
  events: t.field({
    type: EventUpdateRef,
    description: 'Events after a position, or from now on.',
    args: {
      types: t.arg.stringList(),
      after: t.arg({ type: 'Long', description: 'The position of the last event seen.' }),
    },
    subscribe: (_root, { types, after }, { live }) =>
      live.events({ types: types ?? undefined, after: after ?? undefined }),
    resolve: anew,
  }),
  jobUpdated: t.field({
    type: Job,
    description: 'A job as it is, then each time that it changes.',
    args: { id: t.arg({ type: 'Uint256', required: true }) },
    subscribe: (_root, { id }, { live }) => live.job(id),
    resolve: anew,
  }),
}));
