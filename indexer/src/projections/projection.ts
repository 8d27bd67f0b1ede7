import type { AttributionPage } from '@openledger/contracts';
import type { BlockEntry, EventArgs, EventType } from '@openledger/event-log';
import type { Changes } from '../changes.ts';
import type { Queryable } from '../database/database.ts';
import { indexerError } from '../errors.ts';
import type { Placed } from './places.ts';

/** Where and when an event happened, as rows say it. */
export type Occurrence = { readonly position: number; readonly timestamp: number };

/** An event handler turns one event into changes; it reads nothing, so it is a pure function of the event. */
type Handlers = {
  readonly [T in EventType]?: (args: EventArgs<T>, at: Occurrence, changes: Changes) => void;
};

export type Projection = {
  readonly name: string;
  readonly on: Handlers;
  /** For what a block is, besides its events. */
  readonly onBlock?: (block: BlockEntry, events: readonly Placed[], changes: Changes) => void;
  /** For the outputs in a page of an attribution batch. */
  readonly onPage?: (page: AttributionPage, args: EventArgs<'PageRecorded'>, at: Occurrence, changes: Changes) => void;
  /** Recomputes aggregates of the marked keys from rows that are already written. */
  readonly derive?: (tx: Queryable, changes: Changes) => Promise<void>;
};

/** The name that a contract's enum value stands for. */
export const nameOf = <const T extends readonly string[]>(names: T, index: number, what: string): T[number] => {
  const name = names[index];
  if (name === undefined) throw indexerError('INDEXER_UNKNOWN_VALUE', `unknown ${what} ${index}`, { index });
  return name;
};
