import { RLP } from '@ethereumjs/rlp';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { nodeError } from '../errors.ts';

/** An RLP item: bytes or a list of items. */
export type RlpItem = Hex | readonly RlpItem[];

/**
 * Strict RLP (Yellow Paper, appendix B): one item, no bytes behind it, lengths in their shortest form. What a chain's
 * validity hangs on is decoded with this; viem's `fromRlp` takes longer forms and ignores what follows.
 * @throws TX_MALFORMED
 */
export const decodeRlp = (raw: Hex): RlpItem => {
  if (raw.length < 4) throw nodeError('TX_MALFORMED', 'RLP of no bytes');
  try {
    return toHex(RLP.decode(hexToBytes(raw)) as Nested);
  } catch (cause) {
    throw nodeError('TX_MALFORMED', 'not RLP in its only valid form', {}, cause);
  }
};

type Nested = Uint8Array | Nested[];

const toHex = (item: Nested): RlpItem => (item instanceof Uint8Array ? bytesToHex(item) : item.map(toHex));
