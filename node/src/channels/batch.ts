import { isOpenLedgerError } from '@openledger/kit';
import { ByteReader, decodeRlp, encodeRlp, malformed } from './bytes.ts';
import { decodeSingularBatch, encodeSingularBatch, SINGULAR_BATCH_TYPE, type SingularBatch } from './singularBatch.ts';
import { decodeSpanBatch, encodeSpanBatch, SPAN_BATCH_TYPE, type SpanBatch } from './spanBatch.ts';

export type Batch = SingularBatch | SpanBatch;

/** A batch as a channel holds it: an RLP string that starts with the type byte. */
export const encodeBatch = (batch: Batch, chainId = 0): Uint8Array =>
  encodeRlp(batch.type === 'singular' ? encodeSingularBatch(batch) : encodeSpanBatch(batch, chainId));

/** Type byte and content. @throws BATCH_MALFORMED, BATCH_TRANSACTION_INVALID */
export const decodeBatch = (bytes: Uint8Array, chainId: number): Batch => {
  const content = bytes.subarray(1);
  switch (bytes[0]) {
    case SINGULAR_BATCH_TYPE:
      return decodeSingularBatch(content);
    case SPAN_BATCH_TYPE:
      return decodeSpanBatch(content, chainId);
    default:
      throw malformed(`a batch of unknown type ${bytes[0]}`);
  }
};

/**
 * The batches of a decompressed channel, one by one, up to the first that is malformed or cut short; that one and all after it
 * are lost. A well-formed span batch of impossible transactions is passed over (derivation.md, "Batch Format").
 */
export function* readBatches(content: Uint8Array, chainId: number): Generator<Batch, void, undefined> {
  const reader = new ByteReader(content);
  while (reader.remaining > 0) {
    try {
      const item = decodeRlp(reader.rlpItem(reader.remaining));
      if (!(item instanceof Uint8Array)) return;
      yield decodeBatch(item, chainId);
    } catch (error) {
      if (isOpenLedgerError(error, 'BATCH_TRANSACTION_INVALID')) continue;
      if (isOpenLedgerError(error, 'BATCH_MALFORMED')) return;
      throw error;
    }
  }
}
