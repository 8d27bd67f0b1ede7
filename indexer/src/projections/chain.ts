import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import type { Changes } from '../changes.ts';
import { positionOf } from '../position.ts';
import type { Placed } from './places.ts';
import type { Projection } from './projection.ts';

/** 256-bit values don't fit a JSON number; 32-bit ones do. Of bytes only the length: what is in a page has views of its own. */
const jsonArgs = ({ args }: ChainEvent): Record<string, unknown> =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, jsonValue(value)]));

const jsonValue = (value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? { bytes: value.length } : value;
};

const onBlock = (block: BlockEntry, events: readonly Placed[], changes: Changes): void => {
  changes.insert('blocks', {
    number: Number(block.number),
    hash: block.hash,
    parent_hash: block.parentHash,
    timestamp: Number(block.timestamp),
    gas_used: Number(block.gasUsed),
    gas_limit: Number(block.gasLimit),
    base_fee: block.baseFee,
    l1_origin_number: Number(block.l1Origin.number),
    l1_origin_hash: block.l1Origin.hash,
    log_hash: block.logHash,
    transaction_count: block.transactions.length,
    event_count: block.events.length,
  });
  for (const [index, tx] of block.transactions.entries()) {
    changes.insert('transactions', {
      position: positionOf(block.number, index),
      hash: tx.hash,
      type: tx.type,
      sender: tx.from,
      recipient: tx.to,
      contract_address: tx.contractAddress,
      value: tx.value,
      nonce: tx.nonce,
      gas_used: Number(tx.gasUsed),
      fee: tx.fee,
      success: tx.success,
      selector: tx.selector,
    });
  }
  for (const { event, position } of events) {
    changes.insert('events', {
      position,
      type: event.type,
      tx_index: event.txIndex,
      log_index: event.logIndex,
      sub_index: event.subIndex,
      args: jsonArgs(event),
    });
  }
};

/** Blocks, transactions and every event as it is in the log. */
export const chain: Projection = { name: 'chain', on: {}, onBlock };
