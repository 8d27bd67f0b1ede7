import { blockOfPosition, positionOf } from '@openledger/indexer/views';
import { requestError } from '../errors.ts';
import { ListOrder } from './arguments.ts';
import { builder } from './builder.ts';
import { idOf, loadByKey } from './nodes.ts';
import { atLeast, below, byColumn, equals, oneOf, page, where } from './page.ts';
import { Block, BlockConnection, Event, EventConnection, Transaction, TransactionConnection } from './refs.ts';

builder.node(Block, {
  id: { resolve: ({ number }) => idOf(number) },
  loadOne: loadByKey('blocks', 'number'),
  fields: (t) => ({
    number: t.expose('number', { type: 'Long' }),
    hash: t.expose('hash', { type: 'Hex32' }),
    parentHash: t.expose('parent_hash', { type: 'Hex32' }),
    timestamp: t.expose('timestamp', { type: 'Long', description: 'Unix seconds.' }),
    gasUsed: t.expose('gas_used', { type: 'Long' }),
    gasLimit: t.expose('gas_limit', { type: 'Long' }),
    baseFee: t.expose('base_fee', { type: 'Uint256', description: 'Wei of OPEN.' }),
    l1OriginNumber: t.expose('l1_origin_number', { type: 'Long' }),
    l1OriginHash: t.expose('l1_origin_hash', { type: 'Hex32' }),
    logHash: t.expose('log_hash', {
      type: 'Hex32',
      description: 'Hash of the event log up to this block; equal on every node that derived the same chain.',
    }),
    transactionCount: t.exposeInt('transaction_count'),
    eventCount: t.exposeInt('event_count'),
    transactions: t.connection(
      {
        type: Transaction,
        resolve: ({ number }, args, { views }) =>
          page(
            views,
            { table: 'transactions', order: byColumn('position', 'OLDEST_FIRST'), where: inBlock(number) },
            args,
          ),
      },
      TransactionConnection,
    ),
    events: t.connection(
      {
        type: Event,
        resolve: ({ number }, args, { views }) =>
          page(views, { table: 'events', order: byColumn('position', 'OLDEST_FIRST'), where: inBlock(number) }, args),
      },
      EventConnection,
    ),
  }),
});

const inBlock = (number: number) =>
  where(atLeast('position', positionOf(number, 0)), below('position', positionOf(number + 1, 0)));

builder.node(Transaction, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('transactions', 'position'),
  fields: (t) => ({
    hash: t.expose('hash', { type: 'Hex32' }),
    block: t.field({
      type: Block,
      nullable: true,
      resolve: ({ position }, _args, { views }) => views.one('blocks', { number: blockOfPosition(position) }),
    }),
    blockNumber: t.field({ type: 'Long', resolve: ({ position }) => blockOfPosition(position) }),
    index: t.int({ resolve: ({ position }) => position - positionOf(blockOfPosition(position), 0) }),
    type: t.exposeInt('type', { description: 'EIP-2718 type; 126 is a deposit.' }),
    from: t.expose('sender', { type: 'Address' }),
    to: t.expose('recipient', { type: 'Address', nullable: true }),
    contractAddress: t.expose('contract_address', { type: 'Address', nullable: true }),
    value: t.expose('value', { type: 'Uint256', description: 'Wei of OPEN.' }),
    nonce: t.expose('nonce', { type: 'Uint256' }),
    gasUsed: t.expose('gas_used', { type: 'Long' }),
    fee: t.expose('fee', { type: 'Uint256', description: 'Wei of OPEN: execution, L1 data and operator fee.' }),
    success: t.exposeBoolean('success'),
    selector: t.exposeString('selector', { description: 'First four bytes of the calldata, or 0x.' }),
    events: t.connection(
      {
        type: Event,
        resolve: ({ position }, args, { views }) => {
          const number = blockOfPosition(position);
          const index = position - positionOf(number, 0);
          const filter = [...inBlock(number), ...where(equals('tx_index', index))];
          return page(views, { table: 'events', order: byColumn('position', 'OLDEST_FIRST'), where: filter }, args);
        },
      },
      EventConnection,
    ),
  }),
});

builder.node(Event, {
  id: { resolve: ({ position }) => idOf(position) },
  loadOne: loadByKey('events', 'position'),
  description: 'One entry of the event log, as it is.',
  fields: (t) => ({
    position: t.expose('position', { type: 'Long' }),
    type: t.exposeString('type', { description: "The event's name in the contract's ABI." }),
    blockNumber: t.field({ type: 'Long', resolve: ({ position }) => blockOfPosition(position) }),
    logIndex: t.exposeInt('log_index'),
    subIndex: t.exposeInt('sub_index', {
      description: 'Counts the rows that one log stands for; 0 is the log itself.',
    }),
    args: t.expose('args', { type: 'JSON' }),
    block: t.field({
      type: Block,
      nullable: true,
      resolve: ({ position }, _args, { views }) => views.one('blocks', { number: blockOfPosition(position) }),
    }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      resolve: ({ position, tx_index }, _args, { views }) =>
        views.one('transactions', { position: positionOf(blockOfPosition(position), tx_index) }),
    }),
  }),
});

const TransactionWhere = builder.inputType('TransactionWhere', {
  fields: (t) => ({
    from: t.field({ type: 'Address' }),
    to: t.field({ type: 'Address' }),
    fromBlock: t.field({ type: 'Long' }),
    toBlock: t.field({ type: 'Long', description: 'Inclusive.' }),
  }),
});

const EventWhere = builder.inputType('EventWhere', {
  fields: (t) => ({
    types: t.stringList(),
    fromBlock: t.field({ type: 'Long' }),
    toBlock: t.field({ type: 'Long', description: 'Inclusive.' }),
  }),
});

type BlockRange = { fromBlock?: number | null | undefined; toBlock?: number | null | undefined } | null | undefined;

/** No block number of ours is beyond this; positions of larger ones would not be exact. */
const MAX_BLOCK = 2 ** 31 - 2;
const boundary = (block: number, index: number): number =>
  positionOf(Math.min(Math.max(block, 0), MAX_BLOCK) + index, 0);
const inRange = (range: BlockRange) =>
  where(
    atLeast('position', typeof range?.fromBlock === 'number' ? boundary(range.fromBlock, 0) : undefined),
    below('position', typeof range?.toBlock === 'number' ? boundary(range.toBlock, 1) : undefined),
  );

builder.queryFields((t) => ({
  blocks: t.connection(
    {
      type: Block,
      args: { order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) =>
        page(views, { table: 'blocks', order: byColumn('number', args.order) }, args),
    },
    BlockConnection,
  ),
  block: t.field({
    type: Block,
    nullable: true,
    description: 'By number or by hash.',
    args: { number: t.arg({ type: 'Long' }), hash: t.arg({ type: 'Hex32' }) },
    resolve: (_root, { number, hash }, { views }) => {
      if (typeof number === 'number' && !hash) return views.one('blocks', { number });
      if (hash && typeof number !== 'number') return views.one('blocks', { hash });
      throw requestError('BAD_VALUE', 'a block is asked for by number or by hash');
    },
  }),
  transactions: t.connection(
    {
      type: Transaction,
      args: {
        where: t.arg({ type: TransactionWhere }),
        order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }),
      },
      resolve: (_root, args, { views }) => {
        const filter = where(equals('sender', args.where?.from), equals('recipient', args.where?.to));
        const request = { order: byColumn('position', args.order), where: [...filter, ...inRange(args.where)] };
        return page(views, { table: 'transactions', ...request }, args);
      },
    },
    TransactionConnection,
  ),
  transaction: t.field({
    type: Transaction,
    nullable: true,
    args: { hash: t.arg({ type: 'Hex32', required: true }) },
    resolve: (_root, { hash }, { views }) => views.one('transactions', { hash }),
  }),
  events: t.connection(
    {
      type: Event,
      args: { where: t.arg({ type: EventWhere }), order: t.arg({ type: ListOrder, defaultValue: 'NEWEST_FIRST' }) },
      resolve: (_root, args, { views }) => {
        const filter = [...where(oneOf('type', args.where?.types)), ...inRange(args.where)];
        return page(views, { table: 'events', order: byColumn('position', args.order), where: filter }, args);
      },
    },
    EventConnection,
  ),
}));
