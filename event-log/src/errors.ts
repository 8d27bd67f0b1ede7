import { type ErrorMeta, OpenLedgerError } from '@openledger/kit';

export type EventLogErrorCode =
  | 'LOG_CORRUPT'
  | 'LOG_NOT_LINKED'
  | 'LOG_UNKNOWN_VERSION'
  | 'LOG_BAD_VALUE'
  | 'LOG_POSITION_UNKNOWN'
  | 'LOG_FEED_UNAVAILABLE';

const handling = {
  LOG_CORRUPT: 'fatal',
  LOG_NOT_LINKED: 'reset',
  LOG_UNKNOWN_VERSION: 'fatal',
  LOG_BAD_VALUE: 'reject',
  LOG_POSITION_UNKNOWN: 'reset',
  LOG_FEED_UNAVAILABLE: 'retry',
} as const;

const actions: Record<EventLogErrorCode, string> = {
  LOG_CORRUPT: 'Stop the node and rebuild its data directory from L1.',
  LOG_NOT_LINKED: 'Append a revert marker to the common ancestor first.',
  LOG_UNKNOWN_VERSION: 'Upgrade this software: the log was written by a newer version.',
  LOG_BAD_VALUE: 'Fix the producer of the event.',
  LOG_POSITION_UNKNOWN: 'Read from an earlier position, or rebuild the consumer from 0.',
  LOG_FEED_UNAVAILABLE: 'Check that the node is up and its URL is right; the reader tries again.',
};

export const eventLogError = (code: EventLogErrorCode, message: string, meta?: ErrorMeta, cause?: unknown) =>
  new OpenLedgerError(message, { code, handling: handling[code], action: actions[code], meta: meta ?? {}, cause });
