import { type Address, type Hex, hexToBigInt, size } from 'viem';
import { nodeError } from '../errors.ts';
import { decodeRlp, type RlpItem } from './decodeRlp.ts';
import { DEPOSIT_TYPE } from './depositTransaction.ts';
import type { Log, Receipt } from './receipt.ts';

/** What the consensus encoding holds of a receipt. */
export type ConsensusReceipt = Pick<
  Receipt,
  | 'type'
  | 'success'
  | 'postState'
  | 'cumulativeGasUsed'
  | 'logsBloom'
  | 'logs'
  | 'depositNonce'
  | 'depositReceiptVersion'
>;

const FIRST_RLP_LIST = 0xc0;
const BLOOM_BYTES = 256;
const HASH_BYTES = 32;

/**
 * The inverse of `encodeReceipt`. A deposit's may have its nonce and no version: Regolith stored it so, outside of the root.
 * @throws TX_MALFORMED
 */
export const decodeReceipt = (raw: Hex): ConsensusReceipt => {
  const first = Number.parseInt(raw.slice(2, 4), 16);
  const type = first < FIRST_RLP_LIST ? first : 0;
  const fields = decodeRlp(type === 0 ? raw : `0x${raw.slice(4)}`);
  if (!Array.isArray(fields) || fields.length < 4) throw invalid('too few fields');
  if (fields.length > (type === DEPOSIT_TYPE ? 6 : 4)) throw invalid('too many fields');
  const [status, gas, bloom, logs, nonce, version] = fields as RlpItem[];
  const logsBloom = bytes(bloom, 'bloom', BLOOM_BYTES);
  const outcome = bytes(status, 'status');
  const hasState = size(outcome) === HASH_BYTES;
  if (!hasState && outcome !== '0x' && outcome !== '0x01') throw invalid('status');
  if (version !== undefined && version !== '0x01') throw invalid('deposit receipt version');
  if (!Array.isArray(logs)) throw invalid('logs');
  return {
    type,
    success: hasState || outcome === '0x01',
    ...(hasState && { postState: outcome }),
    cumulativeGasUsed: integer(gas, 'gas used'),
    logsBloom,
    logs: (logs as RlpItem[]).map(decodeLog),
    depositNonce: nonce === undefined ? null : integer(nonce, 'deposit nonce'),
    depositReceiptVersion: version === undefined ? null : 1,
  };
};

const decodeLog = (item: RlpItem): Log => {
  if (!Array.isArray(item) || item.length !== 3) throw invalid('log');
  const [address, topics, data] = item as RlpItem[];
  if (!Array.isArray(topics) || topics.length > 4) throw invalid('topics');
  return {
    address: bytes(address, 'log address', 20) as Address,
    topics: (topics as RlpItem[]).map((topic) => bytes(topic, 'topic', HASH_BYTES)),
    data: bytes(data, 'log data'),
  };
};

const bytes = (item: RlpItem | undefined, name: string, length?: number): Hex => {
  if (typeof item !== 'string' || (length !== undefined && size(item) !== length)) throw invalid(name);
  return item as Hex;
};

const integer = (item: RlpItem | undefined, name: string): bigint => {
  const value = bytes(item, name);
  if (value.startsWith('0x00')) throw invalid(name);
  return value === '0x' ? 0n : hexToBigInt(value);
};

const invalid = (what: string) => nodeError('TX_MALFORMED', `not a receipt: wrong ${what}`);
