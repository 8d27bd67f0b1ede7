import type { BlockId } from '@openledger/chain-config';
import type { Hex } from 'viem';
import { fromHex, toHex } from '../primitives/hex.ts';
import { concat, decodeRlp, encodeRlp, integerBytes, malformed, type RlpBytes, rlpInteger } from './bytes.ts';

/** What the sequencer adds to one L2 block (specs/protocol/derivation.md, "Batch Format", version 0). */
export type SingularBatch = {
  readonly type: 'singular';
  readonly parentHash: Hex;
  readonly epoch: BlockId;
  readonly timestamp: bigint;
  readonly transactions: readonly Hex[];
};

export const SINGULAR_BATCH_TYPE = 0;

export const encodeSingularBatch = ({ parentHash, epoch, timestamp, transactions }: SingularBatch): Uint8Array =>
  concat([
    Uint8Array.of(SINGULAR_BATCH_TYPE),
    encodeRlp([
      fromHex(parentHash),
      integerBytes(epoch.number),
      fromHex(epoch.hash),
      integerBytes(timestamp),
      transactions.map(fromHex),
    ]),
  ]);

const bytesOf = (item: RlpBytes | undefined, length?: number): Hex => {
  if (!(item instanceof Uint8Array) || (length !== undefined && item.length !== length)) {
    throw malformed('a field of the wrong kind or length');
  }
  return toHex(item);
};

/** The content after the type byte. @throws BATCH_MALFORMED */
export const decodeSingularBatch = (content: Uint8Array): SingularBatch => {
  const fields = decodeRlp(content);
  if (!Array.isArray(fields) || fields.length !== 5) throw malformed('a singular batch has five fields');
  const [parentHash, epochNumber, epochHash, timestamp, transactions] = fields;
  if (!Array.isArray(transactions)) throw malformed('transactions are a list');
  return {
    type: 'singular',
    parentHash: bytesOf(parentHash, 32),
    epoch: { number: rlpInteger(epochNumber, 8), hash: bytesOf(epochHash, 32) },
    timestamp: rlpInteger(timestamp, 8),
    transactions: transactions.map((transaction) => bytesOf(transaction)),
  };
};
