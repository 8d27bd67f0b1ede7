import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import { Changes } from '../changes.ts';
import type { Queryable } from '../database/database.ts';
import { attribution } from './attribution.ts';
import { audits } from './audits.ts';
import { chain } from './chain.ts';
import { datanets } from './datanets.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { placeEvents } from './places.ts';
import type { Occurrence, Projection } from './projection.ts';
import { provenance } from './provenance.ts';
import { rewards } from './rewards.ts';
import { staking } from './staking.ts';

export const projections: readonly Projection[] = [
  chain,
  datanets,
  models,
  jobs,
  attribution,
  rewards,
  staking,
  provenance,
  audits,
];

/** The table pairs each event type with a handler of its arguments; a union can't express that for the call. */
type AnyHandler = (args: ChainEvent['args'], at: Occurrence, changes: Changes) => void;

const handlers = new Map<string, AnyHandler[]>();
for (const { on } of projections) {
  for (const [type, handler] of Object.entries(on)) {
    handlers.set(type, [...(handlers.get(type) ?? []), handler as AnyHandler]);
  }
}

/** Writes what the blocks add to the views; the transaction belongs to the caller. */
export const projectBlocks = async (tx: Queryable, blocks: readonly BlockEntry[]): Promise<void> => {
  const changes = new Changes();
  for (const block of blocks) {
    const timestamp = Number(block.timestamp);
    const events = placeEvents(block);
    for (const { onBlock } of projections) onBlock?.(block, events, changes);
    for (const { event, position, page } of events) {
      const at = { position, timestamp };
      for (const handle of handlers.get(event.type) ?? []) handle(event.args, at, changes);
      if (event.type !== 'PageRecorded' || !page) continue;
      for (const { onPage } of projections) onPage?.(page, event.args, at, changes);
    }
  }
  await changes.write(tx);
  for (const { derive } of projections) await derive?.(tx, changes);
};
