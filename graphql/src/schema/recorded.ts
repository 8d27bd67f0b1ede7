import { blockOfPosition, positionOf } from '@openledger/indexer/views';
import { builder, type Context } from './builder.ts';
import { Block, Transaction } from './refs.ts';

/** Whatever an event put on the chain. */
export type RecordedRow = { position: number };

export const Recorded = builder.interfaceRef<RecordedRow>('Recorded').implement({
  description: 'Something that an event put on the chain, with the place where it happened.',
  fields: (t) => ({
    position: t.expose('position', {
      type: 'Long',
      description: 'Orders everything on the chain: block number times 2^22 plus an index in the block.',
    }),
    blockNumber: t.field({ type: 'Long', resolve: ({ position }) => blockOfPosition(position) }),
    block: t.field({
      type: Block,
      nullable: true,
      resolve: ({ position }, _args, { views }) => views.one('blocks', { number: blockOfPosition(position) }),
    }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      resolve: ({ position }, _args, context) => transactionOf(position, context),
    }),
  }),
});

const transactionOf = async (position: number, { views }: Context) => {
  // Outputs and attributions come after the event that told them.
  const event = await views.last('events', position);
  return event && views.one('transactions', { position: positionOf(blockOfPosition(position), event.tx_index) });
};
