import fc from 'fast-check';
import { type EventType, eventSchema, type FieldKind } from '../../src/schema.ts';
import type { BlockEntry, ChainEvent, Hex, LogTransaction, RevertEntry } from '../../src/types.ts';

const bytes = (length: number): fc.Arbitrary<Hex> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b): Hex => `0x${Buffer.from(b).toString('hex')}`);
const uint32 = fc.nat({ max: 0xffff_ffff });
/** The edges of the wire forms come up as often as anything else. */
const uint = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n, 2n ** 256n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
);

const byKind: Record<FieldKind, fc.Arbitrary<unknown>> = {
  number: fc.oneof(uint32, fc.constantFrom(0, 127, 128, 0xffff, 0x1_0000, 0xffff_ffff)),
  uint,
  address: bytes(20),
  bytes32: bytes(32),
  bytes: fc.uint8Array({ maxLength: 300 }),
  string: fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constant('é'.repeat(300))),
  bool: fc.boolean(),
};

export const arbitraryEvent = (type: EventType): fc.Arbitrary<ChainEvent> =>
  fc.record({
    type: fc.constant(type),
    txIndex: uint32,
    logIndex: uint32,
    subIndex: uint32,
    args: fc.record(
      Object.fromEntries(Object.entries(eventSchema[type].fields).map(([name, kind]) => [name, byKind[kind]])),
      { noNullPrototype: true },
    ),
  }) as unknown as fc.Arbitrary<ChainEvent>;

export const eventTypes = Object.keys(eventSchema) as EventType[];

const transaction: fc.Arbitrary<LogTransaction> = fc.record({
  hash: bytes(32),
  type: fc.constantFrom(0, 1, 2, 4, 0x7e),
  from: bytes(20),
  to: fc.option(bytes(20)),
  contractAddress: fc.option(bytes(20)),
  value: uint,
  nonce: uint,
  gasUsed: uint,
  fee: uint,
  success: fc.boolean(),
  selector: fc.oneof(bytes(4), fc.constant<Hex>('0x')),
});

const ref = fc.record({ number: uint, hash: bytes(32) });

export const arbitraryBlock: fc.Arbitrary<BlockEntry> = fc.record({
  kind: fc.constant('block' as const),
  seq: uint32,
  logHash: bytes(32),
  number: uint,
  hash: bytes(32),
  parentHash: bytes(32),
  timestamp: uint,
  gasUsed: uint,
  gasLimit: uint,
  baseFee: uint,
  l1Origin: ref,
  transactions: fc.array(transaction, { maxLength: 3 }),
  events: fc.array(fc.constantFrom(...eventTypes).chain(arbitraryEvent), { maxLength: 4 }),
});

export const arbitraryRevert: fc.Arbitrary<RevertEntry> = fc.record({
  kind: fc.constant('revert' as const),
  seq: uint32,
  to: fc.record({ number: uint, hash: bytes(32), logHash: bytes(32) }),
  reverted: fc.array(ref, { maxLength: 5 }),
});
