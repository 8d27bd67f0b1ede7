import { SCHEMA_VERSION } from './schema.ts';

type Upcaster = (wire: unknown[]) => unknown[];

/** Keyed by the version that an event was written with: lifts it to the next version. The log itself is never rewritten. */
const upcasters: ReadonlyMap<number, Upcaster> = new Map();

export const upcastEvent = (wire: unknown[], version: number): unknown[] => {
  let lifted = wire;
  for (let from = version; from < SCHEMA_VERSION; from++) lifted = upcasters.get(from)?.(lifted) ?? lifted;
  return lifted;
};
