import { isOpenLedgerError } from '@openledger/kit';
import { Packr } from 'msgpackr';
import { bytesToHex, hexToBytes } from 'viem';
import { decodeEntry, decodeEvent, encodeEntry, encodeEvent } from './codec.ts';
import { eventLogError } from './errors.ts';
import { SCHEMA_VERSION } from './schema.ts';
import type { FeedEntry, Hex, ProvisionalEntry, WithdrawnEntry } from './types.ts';

/** As the log's own: positional arrays, readable by any msgpack library. */
const packr = new Packr({ useRecords: false, mapsAsObjects: false, useBigIntExtension: false, int64AsType: 'bigint' });

/** Kinds beside the log's 0 (block) and 1 (revert). */
const PROVISIONAL = 2;
const WITHDRAWN = 3;

const hex = (wire: unknown): Hex => bytesToHex(wire as Uint8Array);

/** An entry of the feed as its frame carries it; entries of the log as `encodeEntry` writes them. */
export const encodeFeedEntry = (entry: FeedEntry): Uint8Array => {
  if (entry.kind === 'block' || entry.kind === 'revert') return encodeEntry(entry);
  const build = [SCHEMA_VERSION, Number(entry.number), hexToBytes(entry.parentHash), hexToBytes(entry.payloadId)];
  if (entry.kind === 'withdrawn') return packr.pack([WITHDRAWN, ...build]);
  const { timestamp, index, firstTxIndex, transactions, events } = entry;
  const place = [Number(timestamp), index, firstTxIndex];
  return packr.pack([
    PROVISIONAL,
    ...build,
    ...place,
    transactions.map((tx) => hexToBytes(tx)),
    events.map(encodeEvent),
  ]);
};

/** @throws LOG_CORRUPT when the bytes are not an entry, LOG_UNKNOWN_VERSION when they are of a newer schema. */
export const decodeFeedEntry = (bytes: Uint8Array): FeedEntry => {
  // A short array that begins with one of our kinds; anything else is the log's.
  const kind = ((bytes[0] ?? 0) & 0xf0) === 0x90 ? bytes[1] : undefined;
  if (kind !== PROVISIONAL && kind !== WITHDRAWN) return decodeEntry(bytes);
  try {
    return readProvisional(kind, packr.unpack(bytes));
  } catch (cause) {
    if (isOpenLedgerError(cause)) throw cause;
    throw eventLogError('LOG_CORRUPT', 'the bytes are not an entry', {}, cause);
  }
};

const readProvisional = (kind: number, wire: [number, number, ...unknown[]]): ProvisionalEntry | WithdrawnEntry => {
  const [, version, number, parentHash, payloadId, ...rest] = wire;
  if (version > SCHEMA_VERSION) throw eventLogError('LOG_UNKNOWN_VERSION', `schema version ${version}`, { version });
  const build = { number: BigInt(number as number), parentHash: hex(parentHash), payloadId: hex(payloadId) };
  if (kind === WITHDRAWN) return { kind: 'withdrawn', ...build };
  const [timestamp, index, firstTxIndex, transactions, events] = rest as [number, number, number, unknown[], unknown[]];
  return {
    kind: 'provisional',
    ...build,
    timestamp: BigInt(timestamp),
    index,
    firstTxIndex,
    transactions: transactions.map(hex),
    events: events.map((event) => decodeEvent(event as Parameters<typeof decodeEvent>[0], version)),
  };
};
