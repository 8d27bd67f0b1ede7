import type { Hex } from 'viem';
import { nodeError } from '../errors.ts';
import { fromHex, toHex } from '../primitives/hex.ts';
import {
  type ByteReader,
  concat,
  decodeRlp,
  encodeBits,
  encodeRlp,
  integerBytes,
  malformed,
  type RlpBytes,
  rlpInteger,
  uvarint,
} from './bytes.ts';

/** Blocks of a span batch, transactions of it, and bytes of one transaction's data (`MAX_SPAN_BATCH_ELEMENT_COUNT`). */
export const MAX_SPAN_BATCH_ELEMENT_COUNT = 10_000_000;

/**
 * Where types differ: how many fee fields follow the nonce, and how many lists the data. All are
 * `[chainId,] nonce, fees.., gas, to, value, data, lists.., v, r, s`; legacy has no chain id.
 */
const shapes: Readonly<Record<number, { fees: number; lists: number }>> = {
  0: { fees: 1, lists: 0 },
  1: { fees: 1, lists: 1 },
  2: { fees: 2, lists: 1 },
  4: { fees: 2, lists: 2 },
};
const LEGACY = 0;
const SET_CODE = 4;
const U64_BYTES = 8;

const invalid = (reason: string, cause?: unknown) => nodeError('BATCH_TRANSACTION_INVALID', reason, {}, cause);

const bytesAt = (fields: readonly RlpBytes[], index: number): Uint8Array => {
  const field = fields[index];
  if (!(field instanceof Uint8Array)) throw malformed('a transaction’s field is not bytes');
  return field;
};

/** The transactions of a span batch by column (delta/span-batches.md, `txs`; type 4 since Isthmus). */
export class SpanColumns {
  readonly #chainId: bigint;
  readonly #creations: boolean[] = [];
  readonly #parities: boolean[] = [];
  readonly #protected: boolean[] = [];
  readonly #signatures: Uint8Array[] = [];
  readonly #recipients: Uint8Array[] = [];
  readonly #datas: Uint8Array[] = [];
  readonly #nonces: Uint8Array[] = [];
  readonly #gases: Uint8Array[] = [];
  /** Of all columns but the three bitlists. */
  #bytes = 0;

  constructor(chainId: number) {
    this.#chainId = BigInt(chainId);
  }

  get count(): number {
    return this.#creations.length;
  }

  get byteLength(): number {
    const [all, legacy] = [this.#creations.length, this.#protected.length].map((bits) => Math.ceil(bits / 8));
    return this.#bytes + 2 * (all ?? 0) + (legacy ?? 0);
  }

  /** @throws BATCH_MALFORMED when this is no signed transaction of our chain: nothing is taken in then */
  add(transaction: Hex): void {
    const raw = fromHex(transaction);
    const isLegacy = (raw[0] ?? 0) >= 0xc0;
    const type = isLegacy ? LEGACY : (raw[0] ?? 0);
    const shape = isLegacy || type !== LEGACY ? shapes[type] : undefined;
    if (!shape) throw malformed(`span batches have no transactions of type ${type}`);
    const all = decodeRlp(isLegacy ? raw : raw.subarray(1));
    const { fees, lists } = shape;
    const length = 8 + fees + lists + (isLegacy ? 0 : 1);
    if (!Array.isArray(all) || all.length !== length) throw malformed('a transaction has the wrong number of fields');
    if (!isLegacy && rlpInteger(all[0]) !== this.#chainId) throw malformed('a transaction of another chain');
    const fields = isLegacy ? all : all.slice(1);
    const to = bytesAt(fields, 2 + fees);
    if (to.length !== 0 && to.length !== 20) throw malformed('a recipient is not an address');
    const [v, r, s] = fields.slice(5 + fees + lists).map((field) => rlpInteger(field)) as [bigint, bigint, bigint];
    const nonce = uvarint(rlpInteger(fields[0], U64_BYTES));
    const gas = uvarint(rlpInteger(fields[1 + fees], U64_BYTES));
    const payload = encodeRlp([bytesAt(fields, 3 + fees), ...fields.slice(1, 1 + fees), ...fields.slice(4 + fees, -3)]);
    const data = isLegacy ? payload : concat([Uint8Array.of(type), payload]);
    const isProtected = v !== 27n && v !== 28n;
    const parity = !isLegacy ? v : isProtected ? v - 35n - 2n * this.#chainId : v - 27n;
    if (parity !== 0n && parity !== 1n) throw malformed('a signature of another chain');
    const words = [r, s].map((value) => fromHex(`0x${value.toString(16).padStart(64, '0')}`));
    this.#creations.push(to.length === 0);
    this.#parities.push(parity === 1n);
    if (isLegacy) this.#protected.push(isProtected);
    this.#signatures.push(...words);
    this.#recipients.push(to);
    this.#datas.push(data);
    this.#nonces.push(nonce);
    this.#gases.push(gas);
    this.#bytes += 64 + to.length + data.length + nonce.length + gas.length;
  }

  /** Takes in all of another's transactions. */
  append(other: SpanColumns): void {
    this.#creations.push(...other.#creations);
    this.#parities.push(...other.#parities);
    this.#protected.push(...other.#protected);
    this.#signatures.push(...other.#signatures);
    this.#recipients.push(...other.#recipients);
    this.#datas.push(...other.#datas);
    this.#nonces.push(...other.#nonces);
    this.#gases.push(...other.#gases);
    this.#bytes += other.#bytes;
  }

  encode(): Uint8Array {
    return concat([
      encodeBits(this.#creations),
      encodeBits(this.#parities),
      ...this.#signatures,
      ...this.#recipients,
      ...this.#datas,
      ...this.#nonces,
      ...this.#gases,
      encodeBits(this.#protected),
    ]);
  }
}

const shape = (item: RlpBytes | undefined, kinds: readonly (number | 'integer' | ((item: RlpBytes) => void))[]) => {
  if (!Array.isArray(item) || item.length !== kinds.length) throw malformed('a list of the wrong length');
  kinds.forEach((kind, index) => {
    const field = item[index] as RlpBytes;
    if (typeof kind === 'function') kind(field);
    else if (kind === 'integer') rlpInteger(field);
    else if (!(field instanceof Uint8Array) || field.length !== kind) throw malformed('a field of the wrong length');
  });
};

const each = (check: (item: RlpBytes) => void) => (item: RlpBytes) => {
  if (!Array.isArray(item)) throw malformed('not a list');
  item.forEach(check);
};
const storageKey = (item: RlpBytes) => shape([item], [32]);
const accessList = each((entry) => shape(entry, [20, each(storageKey)]));
const u64 = (item: RlpBytes) => void rlpInteger(item, U64_BYTES);
const u8 = (item: RlpBytes) => void rlpInteger(item, 1);
const authorizationList = each((entry) => shape(entry, ['integer', 20, u64, u8, 'integer', 'integer']));

/** The transaction that its columns describe. @throws BATCH_TRANSACTION_INVALID */
const rebuild = (options: {
  data: Uint8Array;
  to: Uint8Array;
  nonce: bigint;
  gas: bigint;
  v: bigint;
  signature: Uint8Array;
  chainId: bigint;
}): Hex => {
  const { data, to, nonce, gas, v, signature, chainId } = options;
  const isLegacy = (data[0] ?? 0) >= 0xc0;
  const type = isLegacy ? LEGACY : (data[0] ?? 0);
  const layout = isLegacy || type !== LEGACY ? shapes[type] : undefined;
  if (!layout) throw invalid(`no transactions of type ${type}`);
  if (type === SET_CODE && to.length === 0) throw invalid('a set-code transaction has a recipient');
  try {
    const fields = decodeRlp(isLegacy ? data : data.subarray(1));
    if (!Array.isArray(fields) || fields.length !== 2 + layout.fees + layout.lists)
      throw malformed('wrong field count');
    const [value, ...rest] = fields;
    const fees = rest.slice(0, layout.fees);
    for (const amount of [value, ...fees]) rlpInteger(amount);
    const [input, accesses, authorizations] = rest.slice(layout.fees);
    if (!(input instanceof Uint8Array)) throw malformed('input is not bytes');
    if (accesses) accessList(accesses);
    if (authorizations) authorizationList(authorizations);
    const integers = (values: readonly bigint[]) => values.map(integerBytes);
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((word) => BigInt(toHex(word)));
    const payload = encodeRlp([
      ...(isLegacy ? [] : integers([chainId])),
      integerBytes(nonce),
      ...fees,
      integerBytes(gas),
      to,
      ...([value, ...rest.slice(layout.fees)] as RlpBytes[]),
      ...integers([v, r ?? 0n, s ?? 0n]),
    ]);
    return toHex(isLegacy ? payload : concat([Uint8Array.of(type), payload]));
  } catch (cause) {
    throw invalid('a transaction of a span batch does not decode', cause);
  }
};

/** @throws BATCH_MALFORMED when the columns are, BATCH_TRANSACTION_INVALID when they make no transaction */
export const decodeSpanTransactions = (reader: ByteReader, count: number, chainId: number): Hex[] => {
  const isCreation = reader.bits(count);
  const parity = reader.bits(count);
  const signatures = reader.take(count * 64);
  const indices = Array.from({ length: count }, (_, index) => index);
  const recipients = indices.map((index) => reader.take(isCreation(index) ? 0 : 20));
  const datas = indices.map(() => {
    const start = reader.peek();
    const type = start < 0x80 ? reader.take(1) : new Uint8Array();
    if (reader.peek() < 0xc0) throw malformed('a transaction’s data is not a list');
    return concat([type, reader.rlpItem(MAX_SPAN_BATCH_ELEMENT_COUNT)]);
  });
  const nonces = indices.map(() => reader.uvarint());
  const gases = indices.map(() => reader.uvarint());
  const isLegacy = (index: number) => (datas[index]?.[0] ?? 0) >= 0xc0;
  const isProtected = reader.bits(indices.filter(isLegacy).length);
  let legacies = 0;
  return indices.map((index) => {
    const y = parity(index) ? 1n : 0n;
    const base = !isLegacy(index) ? 0n : isProtected(legacies++) ? 35n + 2n * BigInt(chainId) : 27n;
    return rebuild({
      data: datas[index] as Uint8Array,
      to: recipients[index] as Uint8Array,
      nonce: nonces[index] ?? 0n,
      gas: gases[index] ?? 0n,
      v: base + y,
      signature: signatures.subarray(index * 64, index * 64 + 64),
      chainId: BigInt(chainId),
    });
  });
};
