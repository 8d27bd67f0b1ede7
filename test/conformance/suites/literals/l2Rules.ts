import { decodeMPTNode } from '@ethereumjs/mpt';
import { bytesToHex, concatHex, type Hex, hexToBytes, isAddressEqual, keccak256, size, slice, toRlp } from 'viem';
import { compress, decompressChannel } from '../../../../node/src/channels/compression.ts';
import { createCommon } from '../../../../node/src/execution/createCommon.ts';
import { decodeReceipt } from '../../../../node/src/primitives/decodeReceipt.ts';
import { decodeRlp, type RlpItem } from '../../../../node/src/primitives/decodeRlp.ts';
import { decodeDeposit, encodeDeposit } from '../../../../node/src/primitives/depositTransaction.ts';
import { decodeL1Attributes, encodeL1Attributes } from '../../../../node/src/primitives/l1Attributes.ts';
import { encodeReceipt, type Receipt } from '../../../../node/src/primitives/receipt.ts';
import { decodeTransaction } from '../../../../node/src/primitives/transaction.ts';
import { outputRootV0 } from '../../../../node/src/proposer/outputRoot.ts';
import { expectEqual, expectRefused } from '../support/expect.ts';
import { mustFail, type Rule, wordsOf } from './literal.ts';

/** Selectors of L1Block's setters, and how long their calldata is. */
const attributes: Readonly<Record<string, number>> = {
  '0x015d8eb9': 260,
  '0x440a5e20': 164,
  '0x098999be': 176,
  '0x3db6be2b': 178,
};

export const l1Attributes: Rule = ({ hex, bytes }) =>
  attributes[hex.slice(0, 10)] !== bytes
    ? undefined
    : () => {
        const { format, ...fields } = decodeL1Attributes(hex);
        expectEqual(encodeL1Attributes(format, fields), hex, 'attributes');
      };

const listAt = (hex: Hex): readonly RlpItem[] | undefined => {
  try {
    const item = decodeRlp(hex);
    return typeof item === 'string' ? undefined : item;
  } catch {
    return undefined;
  }
};

const DEPOSIT_FIELDS = 8;

export const deposits: Rule = ({ hex }) =>
  hex.startsWith('0x7e') && listAt(`0x${hex.slice(4)}`)?.length === DEPOSIT_FIELDS
    ? () => expectEqual(encodeDeposit(decodeDeposit(hex)), hex, 'deposit')
    : undefined;

/** On the wire a typed one is a byte string in a list; a deposit's may also stand without its type. */
const unwrap = (hex: Hex): Hex => {
  if (!/^0xb[89a]/.test(hex)) return hex;
  try {
    return decodeRlp(hex) as Hex;
  } catch {
    return hex;
  }
};

const BLOOM_HEX = 2 + 2 * 256;

export const receipts: Rule = ({ hex }) => {
  const raw = unwrap(hex);
  const isTyped = Number.parseInt(raw.slice(2, 4), 16) < 0xc0;
  const fields = listAt(isTyped ? `0x${raw.slice(4)}` : raw);
  if (!fields || fields.length < 4 || fields.length > 6 || String(fields[2]).length !== BLOOM_HEX) return undefined;
  return () => {
    const typed: Hex = isTyped || fields.length === 4 ? raw : concatHex(['0x7e', raw]);
    const receipt = decodeReceipt(typed);
    // Regolith's nonce is not part of what the root is made of.
    const kept = fields.length === 5 ? fields.slice(0, 4) : fields;
    const payload = toRlp(kept as Hex[]) as Hex;
    const expected = receipt.type === 0 ? payload : concatHex([slice(typed, 0, 1), payload]);
    expectEqual(encodeReceipt(receipt as Receipt), expected, 'receipt');
    expectEqual(receipt.depositNonce === null, fields.length === 4, 'has no nonce');
  };
};

const SIGNED_FIELDS: Readonly<Record<number, number>> = { 1: 11, 2: 12, 4: 13 };

export const transactions: Rule = (literal, siblings) => {
  const { hex } = literal;
  if (mustFail(literal) && /legacy.*decoding/.test(wordsOf(literal)) && literal.bytes !== 20) {
    return () => expectRefused(() => decodeTransaction(hex, createCommon(1)), 'transaction');
  }
  const type = Number.parseInt(hex.slice(2, 4), 16);
  const fields = listAt(`0x${hex.slice(4)}`);
  if (fields === undefined || fields.length !== SIGNED_FIELDS[type] || !/decode.*envelope/.test(wordsOf(literal))) {
    return undefined;
  }
  return () => {
    const transaction = decodeTransaction(hex, createCommon(Number(fields[0])));
    if (transaction.kind !== 'signed') throw new Error('a deposit');
    expectEqual(transaction.hash, keccak256(hex), 'hash');
    expectEqual(bytesToHex(transaction.tx.serialize()), hex, 'encoded again');
    const to = siblings.find(({ bytes }) => bytes === 20)?.hex;
    if (to) expectEqual(isAddressEqual(transaction.tx.to?.toString() ?? '0x', to), true, 'recipient');
  };
};

export const trieNodes: Rule = ({ const: name, hex }) =>
  /^(BRANCH|EXTENSION|LEAF)_RLP$/.test(name ?? '')
    ? () => expectEqual(bytesToHex(decodeMPTNode(hexToBytes(hex)).serialize()), hex, 'node')
    : undefined;

const OUTPUT_BYTES = 128;

export const outputRoots: Rule = (literal) => {
  if (!wordsOf(literal).startsWith('output_root') || literal.bytes !== OUTPUT_BYTES) return undefined;
  const word = (index: number): Hex => slice(literal.hex, 32 * index, 32 * (index + 1));
  return () => {
    const output = { stateRoot: word(1), messagePasserStorageRoot: word(2), blockHash: word(3) };
    expectEqual(outputRootV0(output), keccak256(literal.hex), 'output root');
  };
};

const MAX_BYTES = 10_000_000;
const inflate = (channel: Uint8Array): Hex =>
  bytesToHex(decompressChannel(channel, { maxRlpBytes: MAX_BYTES, brotli: true }));

/** Tests of brotli have what is compressed and what comes out. */
export const brotli: Rule = (literal, siblings) => {
  if (!/brotli/.test(wordsOf(literal)) || size(literal.hex) < 100) return undefined;
  const isPlain = ({ context }: { context: string }): boolean => /decompressed/.test(context);
  if (isPlain(literal)) {
    return () => expectEqual(inflate(compress(hexToBytes(literal.hex), 'brotli')), literal.hex, 'there and back');
  }
  const plain = siblings.find(isPlain);
  return plain && (() => expectEqual(inflate(hexToBytes(concatHex(['0x01', literal.hex]))), plain.hex, 'content'));
};
