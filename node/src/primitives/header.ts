import { type Address, type Hex, hexToBigInt, keccak256, numberToHex, toRlp } from 'viem';
import { nodeError } from '../errors.ts';
import { decodeRlp } from './decodeRlp.ts';

/**
 * A block header. Fields that a fork brought are absent before it: base fee (London, and so every L2), withdrawalsRoot
 * (Canyon; since Isthmus the message passer's storage root), the blob fields and beacon root (Ecotone), requestsHash
 * (Isthmus). None is absent before one that is there.
 */
export type Header = {
  readonly parentHash: Hex;
  readonly sha3Uncles: Hex;
  readonly miner: Address;
  readonly stateRoot: Hex;
  readonly transactionsRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly logsBloom: Hex;
  readonly difficulty: bigint;
  readonly number: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  readonly timestamp: bigint;
  readonly extraData: Hex;
  readonly mixHash: Hex;
  readonly nonce: Hex;
  readonly baseFeePerGas?: bigint;
  readonly withdrawalsRoot?: Hex;
  readonly blobGasUsed?: bigint;
  readonly excessBlobGas?: bigint;
  readonly parentBeaconBlockRoot?: Hex;
  readonly requestsHash?: Hex;
};

const integer = (value: bigint): Hex => (value === 0n ? '0x' : numberToHex(value));

export const encodeHeader = (header: Header): Hex => toRlp(headerFields(header));

const headerFields = (h: Header): Hex[] => {
  const fields: Hex[] = [
    h.parentHash,
    h.sha3Uncles,
    h.miner,
    h.stateRoot,
    h.transactionsRoot,
    h.receiptsRoot,
    h.logsBloom,
    integer(h.difficulty),
    integer(h.number),
    integer(h.gasLimit),
    integer(h.gasUsed),
    integer(h.timestamp),
    h.extraData,
    h.mixHash,
    h.nonce,
  ];
  const { baseFeePerGas, withdrawalsRoot, blobGasUsed, excessBlobGas, parentBeaconBlockRoot, requestsHash } = h;
  for (const field of [
    baseFeePerGas,
    withdrawalsRoot,
    blobGasUsed,
    excessBlobGas,
    parentBeaconBlockRoot,
    requestsHash,
  ]) {
    if (field === undefined) break;
    fields.push(typeof field === 'bigint' ? integer(field) : field);
  }
  return fields;
};

export const hashHeader = (header: Header): Hex => keccak256(encodeHeader(header));

/** sha3Uncles of a block that names these uncles. */
export const unclesHash = (uncles: readonly Header[]): Hex => keccak256(toRlp(uncles.map(headerFields)));

/** @throws BLOCK_INVALID when the fields aren't those of a header. */
export const decodeHeader = (rlp: Hex): Header => headerFromFields(decodeRlp(rlp) as Hex[]);

const REQUIRED_FIELDS = 15;
const MAX_FIELDS = 21;

export const headerFromFields = (f: readonly Hex[]): Header => {
  if (!Array.isArray(f) || f.length < REQUIRED_FIELDS || f.length > MAX_FIELDS) {
    throw nodeError('BLOCK_INVALID', 'a header has 15 to 21 fields', { fields: f.length });
  }
  const at = (index: number): Hex => f[index] as Hex;
  const int = (index: number): bigint => (at(index) === '0x' ? 0n : hexToBigInt(at(index)));
  return {
    parentHash: at(0),
    sha3Uncles: at(1),
    miner: at(2),
    stateRoot: at(3),
    transactionsRoot: at(4),
    receiptsRoot: at(5),
    logsBloom: at(6),
    difficulty: int(7),
    number: int(8),
    gasLimit: int(9),
    gasUsed: int(10),
    timestamp: int(11),
    extraData: at(12),
    mixHash: at(13),
    nonce: at(14),
    ...(f.length > 15 && { baseFeePerGas: int(15) }),
    ...(f.length > 16 && { withdrawalsRoot: at(16) }),
    ...(f.length > 17 && { blobGasUsed: int(17) }),
    ...(f.length > 18 && { excessBlobGas: int(18) }),
    ...(f.length > 19 && { parentBeaconBlockRoot: at(19) }),
    ...(f.length > 20 && { requestsHash: at(20) }),
  };
};

export const EMPTY_UNCLES_HASH: Hex = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';
export const EMPTY_TRIE_ROOT: Hex = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
/** sha256 of nothing: no EIP-7685 requests exist on L2. */
export const EMPTY_REQUESTS_HASH: Hex = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
export const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;
export const ZERO_NONCE: Hex = '0x0000000000000000';
