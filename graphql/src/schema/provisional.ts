import { requestError } from '../errors.ts';
import type { ProvisionalUpdate } from '../liveProvisional.ts';
import { builder } from './builder.ts';

const Status = builder.enumType('ProvisionalStatus', {
  values: {
    PRECONFIRMED: { description: 'The sequencer promised to put these events into the block that it is building.' },
    WITHDRAWN: { description: 'The block won’t come: nothing that was told of this payload counts.' },
    SEALED: { description: 'A block of this number is on the chain: its events are in `events` now.' },
  } as const,
});

const ProvisionalEventRef = builder.objectRef<ProvisionalUpdate['events'][number]>('ProvisionalEvent').implement({
  description: 'An event of a block that isn’t on the chain yet.',
  fields: (t) => ({
    type: t.exposeString('type'),
    transactionHash: t.expose('transactionHash', { type: 'Hex32' }),
    txIndex: t.exposeInt('txIndex'),
    logIndex: t.exposeInt('logIndex'),
    subIndex: t.exposeInt('subIndex'),
    args: t.field({ type: 'JSON', resolve: ({ args }) => JSON.parse(JSON.stringify(args, toJson)) }),
  }),
});

/** As in the views: integers that may be big are decimal strings, bytes are hex. */
const toJson = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : value;
};

const ProvisionalUpdateRef = builder.objectRef<ProvisionalUpdate>('ProvisionalUpdate').implement({
  description: 'News of the block under construction, some 200 ms after its transactions were sent.',
  fields: (t) => ({
    status: t.field({ type: Status, resolve: ({ status }) => status }),
    blockNumber: t.expose('blockNumber', { type: 'Long' }),
    payloadId: t.exposeString('payloadId', {
      description: 'Of this build of the block; another build has another one.',
    }),
    index: t.exposeInt('index', { nullable: true, description: 'Of the flashblock in its block, from 0.' }),
    events: t.field({ type: [ProvisionalEventRef], resolve: ({ events }) => [...events] }),
  }),
});

const ofTypes = async function* (
  updates: AsyncIterable<ProvisionalUpdate>,
  types: readonly string[] | undefined,
): AsyncIterable<ProvisionalUpdate> {
  let told: string | undefined;
  for await (const update of updates) {
    const events = types ? update.events.filter(({ type }) => types.includes(type)) : update.events;
    // What became of a block matters to whoever was told of its events; an interval without any to nobody.
    const matters = update.status === 'PRECONFIRMED' ? events.length > 0 : told === update.payloadId;
    if (!matters) continue;
    told = update.payloadId;
    yield { ...update, events };
  }
};

builder.subscriptionField('provisionalEvents', (t) =>
  t.field({
    type: ProvisionalUpdateRef,
    description:
      'Events before they are on the chain: those of the open block so far, then as they come, then that it is sealed or withdrawn.',
    args: { types: t.arg.stringList() },
    subscribe: (_root, { types }, { provisional }) => {
      if (!provisional) throw requestError('NOT_PROVIDED', 'this server has no provisional events');
      return ofTypes(provisional.updates(), types ?? undefined);
    },
    resolve: (update) => update,
  }),
);
