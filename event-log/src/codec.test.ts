import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryBlock, arbitraryEvent, arbitraryRevert, eventTypes } from '../test/support/arbitrary.ts';
import { childOf, hashOf, transferred } from '../test/support/blocks.ts';
import { computeLogHash, decodeEntry, decodeEvent, encodeEntry, encodeEvent, entryToJson } from './codec.ts';
import { eventSchema, eventTypeById, SCHEMA_VERSION } from './schema.ts';
import type { BlockEntry, ChainEvent, LogBlock } from './types.ts';
import { upcastEvent } from './upcasters.ts';

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_k, v) => (typeof v === 'bigint' ? `${v}n` : v)));
const golden = (): LogBlock => childOf(childOf(undefined), 'golden', [transferred(0), transferred(1, 'näme')]);

describe('events', () => {
  it.each(eventTypes)('%s survives encoding', (type) => {
    fc.assert(
      fc.property(arbitraryEvent(type), (event) => {
        const [block] = [{ ...golden(), kind: 'block' as const, seq: 3, logHash: hashOf('log'), events: [event] }];
        expect(plain((decodeEntry(encodeEntry(block)) as BlockEntry).events[0])).toEqual(plain(event));
        expect(decodeEvent(encodeEvent(event), SCHEMA_VERSION).type).toBe(type);
      }),
      { numRuns: 25 },
    );
  });

  it('have ids that are unique, because the id is all that the wire has of the type', () => {
    expect(eventTypeById.size).toBe(eventTypes.length);
    for (const type of eventTypes) expect(eventTypeById.get(eventSchema[type].id)).toBe(type);
  });

  it('are refused when an argument is missing or negative', () => {
    const event = transferred(0);
    const without = { ...event, args: { ...event.args, uri: undefined } } as unknown as ChainEvent;
    expect(() => encodeEvent(without)).toThrow(expect.objectContaining({ code: 'LOG_BAD_VALUE' }));
    const negative = { ...event, args: { ...event.args, modelId: -1n } } as ChainEvent;
    expect(() => encodeEvent(negative)).toThrow(expect.objectContaining({ code: 'LOG_BAD_VALUE' }));
  });

  it('of an unknown id tell the reader to upgrade', () => {
    expect(() => decodeEvent([9999, 0, 0, 0], SCHEMA_VERSION)).toThrow(
      expect.objectContaining({ code: 'LOG_UNKNOWN_VERSION', handling: 'fatal' }),
    );
  });

  it('pass through the upcasters, which leave the present version alone', () => {
    const wire = encodeEvent(transferred(0));
    expect(upcastEvent(wire, SCHEMA_VERSION)).toBe(wire);
    expect(decodeEvent(wire, SCHEMA_VERSION - 1)).toEqual(transferred(0));
  });
});

describe('entries', () => {
  it('of blocks survive encoding', () => {
    fc.assert(
      fc.property(arbitraryBlock, (entry) => {
        expect(plain(decodeEntry(encodeEntry(entry)))).toEqual(plain(entry));
      }),
    );
  });

  it('of reverts survive encoding', () => {
    fc.assert(
      fc.property(arbitraryRevert, (entry) => {
        expect(plain(decodeEntry(encodeEntry(entry)))).toEqual(plain(entry));
      }),
    );
  });

  it('that are damaged say so, whatever the damage is', () => {
    const bytes = encodeEntry({ ...golden(), kind: 'block', seq: 0, logHash: hashOf('log') });
    const isOurs = expect.objectContaining({ code: expect.stringMatching(/^LOG_(CORRUPT|UNKNOWN_VERSION)$/) });
    const attempt = (damaged: Uint8Array) => {
      try {
        decodeEntry(damaged);
      } catch (error) {
        expect(error).toEqual(isOurs);
      }
    };
    const values = [0x00, 0x7f, 0x90, 0xc0, 0xc1, 0xc4, 0xcf, 0xff];
    for (let at = 0; at < bytes.length; at++) {
      for (const value of values) attempt(bytes.map((byte, index) => (index === at ? value : byte)));
      expect(() => decodeEntry(bytes.slice(0, at))).toThrow(isOurs);
    }
  });

  it('of a newer schema tell the reader to upgrade', () => {
    const bytes = encodeEntry({ ...golden(), kind: 'block', seq: 0, logHash: hashOf('log') });
    bytes[2] = SCHEMA_VERSION + 1;
    expect(() => decodeEntry(bytes)).toThrow(expect.objectContaining({ code: 'LOG_UNKNOWN_VERSION' }));
  });

  it('as JSON have big integers as decimal strings', () => {
    const json = JSON.parse(entryToJson({ ...golden(), kind: 'block', seq: 7, logHash: hashOf('log') }));
    expect(json).toMatchObject({ seq: 7, number: '1', events: [{ args: { modelId: (1n << 200n).toString() } }, {}] });
  });
});

describe('computeLogHash', () => {
  it('is what it was since schema version 2: stored logs and other nodes depend on it', () => {
    expect(computeLogHash(golden(), hashOf('parent'))).toBe(
      '0xb24db6778c8eee21d01258f49d4542e19a3b43cc1d736ef1b5c94425680e71ef',
    );
  });

  it('covers the parent, the block and every event', () => {
    const base = computeLogHash(golden(), hashOf('parent'));
    const others = [
      computeLogHash(golden(), hashOf('other')),
      computeLogHash({ ...golden(), hash: hashOf('x') }, hashOf('parent')),
      computeLogHash({ ...golden(), timestamp: 1n }, hashOf('parent')),
      computeLogHash({ ...golden(), transactions: [] }, hashOf('parent')),
      computeLogHash({ ...golden(), events: [transferred(0)] }, hashOf('parent')),
      computeLogHash({ ...golden(), events: [transferred(1, 'näme'), transferred(0)] }, hashOf('parent')),
    ];
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });
});
