import type { Address, Hex } from 'viem';
import { invalidParams } from './rpcError.ts';

export type BlockTag = 'latest' | 'safe' | 'finalized' | 'pending' | 'earliest';
export type BlockSelector = BlockTag | bigint | { readonly hash: Hex };

const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]*)$/i;
const tags: ReadonlySet<string> = new Set(['latest', 'safe', 'finalized', 'pending', 'earliest']);

const at = (index: number, problem: string) => invalidParams(`invalid argument ${index}: ${problem}`);

export const required = (params: readonly unknown[], index: number): unknown => {
  if (params[index] === undefined) throw invalidParams(`missing value for required argument ${index}`);
  return params[index];
};

export const toQuantity = (value: unknown, index: number, bits = 64): bigint => {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw at(index, 'hex string without 0x prefix');
  if (!QUANTITY.test(value)) {
    throw at(
      index,
      value === '0x'
        ? 'hex string "0x"'
        : /^0x0/.test(value)
          ? 'hex number with leading zero digits'
          : 'invalid hex string',
    );
  }
  const number = BigInt(value);
  if (number >= 1n << BigInt(bits)) throw at(index, `hex number > ${bits} bits`);
  return number;
};

export const toHexBytes = (value: unknown, index: number, bytes?: number): Hex => {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw at(index, 'hex string without 0x prefix');
  if (!/^0x[0-9a-f]*$/i.test(value)) throw at(index, 'invalid hex string');
  if (value.length % 2 === 1) throw at(index, 'hex string of odd length');
  if (bytes !== undefined && value.length !== 2 + bytes * 2) {
    throw at(index, `hex string has length ${value.length - 2}, want ${bytes * 2}`);
  }
  return value.toLowerCase() as Hex;
};

export const toAddress = (params: readonly unknown[], index: number): Address =>
  toHexBytes(required(params, index), index, 20) as Address;

export const toHash = (params: readonly unknown[], index: number): Hex =>
  toHexBytes(required(params, index), index, 32);

/** A storage slot: up to 32 bytes, geth pads shorter ones. */
export const toSlot = (value: unknown, index: number): Hex => {
  if (typeof value !== 'string') throw at(index, 'unable to decode storage key');
  if (!/^(0x)?[0-9a-f]*$/i.test(value)) throw invalidParams(`invalid hex in storage key: ${JSON.stringify(value)}`);
  const digits = value.replace(/^0x/, '');
  if (digits.length > 64) throw at(index, 'storage key too long (want at most 32 bytes)');
  return `0x${digits.padStart(64, '0').toLowerCase()}`;
};

/** EIP-1898: tag, number, {blockNumber} or {blockHash}; `latest` when left out. */
export const toBlockSelector = (value: unknown, index: number): BlockSelector => {
  if (value === undefined || value === null) return 'latest';
  if (typeof value === 'string') {
    if (tags.has(value)) return value as BlockTag;
    if (value.length === 66) return { hash: toHexBytes(value, index, 32) };
    return toQuantity(value, index);
  }
  if (typeof value === 'object') {
    const { blockNumber, blockHash } = value as { blockNumber?: unknown; blockHash?: unknown };
    if (blockHash !== undefined && blockNumber !== undefined) {
      throw at(index, 'cannot specify both BlockHash and BlockNumber, choose one or the other');
    }
    if (blockHash !== undefined) return { hash: toHexBytes(blockHash, index, 32) };
    if (blockNumber !== undefined) return toBlockSelector(blockNumber, index);
  }
  throw at(index, 'invalid block number or hash');
};

export type CallRequest = {
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  /** As the sender names it; undefined is left to whoever executes the call. */
  readonly nonce: bigint | undefined;
  readonly chainId: bigint | undefined;
  readonly gas: bigint | undefined;
  /** Wei per gas, as the three kinds of transactions name it. */
  readonly gasPrice: bigint | undefined;
  readonly maxFeePerGas: bigint | undefined;
  readonly maxPriorityFeePerGas: bigint | undefined;
  readonly value: bigint;
  readonly data: Hex;
  readonly accessList: readonly { readonly address: Address; readonly storageKeys: readonly Hex[] }[];
  readonly authorizationList: readonly Authorization[] | undefined;
  readonly maxFeePerBlobGas: bigint | undefined;
  readonly blobVersionedHashes: readonly Hex[] | undefined;
};

/** EIP-7702: who signed it may be run as the code of `address`. */
export type Authorization = {
  readonly chainId: bigint;
  readonly address: Address;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
};

const toAccessList = (value: unknown, index: number): CallRequest['accessList'] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw at(index, 'access list is not an array');
  return value.map((item: { address?: unknown; storageKeys?: unknown } | null) => {
    if (!Array.isArray(item?.storageKeys)) throw at(index, 'access list entry without storage keys');
    return {
      address: toHexBytes(item.address, index, 20),
      storageKeys: item.storageKeys.map((key) => toHexBytes(key, index, 32)),
    };
  });
};

/** A JSON object; null and undefined count as one without fields, as in geth. */
export const toFields = (value: unknown, index: number, what: string): Readonly<Record<string, unknown>> => {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw at(index, `expected ${what}`);
  return value as Record<string, unknown>;
};

/** A JSON array; undefined when it is left out. */
export const toList = (value: unknown, index: number, what: string): readonly unknown[] | undefined => {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw at(index, `expected a list of ${what}`);
  return value;
};

const toAuthorization = (value: unknown, index: number): Authorization => {
  const fields = toFields(value, index, 'an authorization');
  const quantity = (name: string, bits: number) => {
    if (fields[name] == null) throw at(index, `missing required field '${name}' for SetCodeAuthorization`);
    return toQuantity(fields[name], index, bits);
  };
  return {
    chainId: quantity('chainId', 256),
    address: toHexBytes(fields.address, index, 20),
    nonce: quantity('nonce', 64),
    yParity: quantity('yParity', 8),
    r: quantity('r', 256),
    s: quantity('s', 256),
  };
};

export const toCallRequest = (value: unknown, index: number): CallRequest => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw at(index, 'expected a call object');
  const call = value as Record<string, unknown>;
  const address = (field: unknown) => (field == null ? undefined : (toHexBytes(field, index, 20) as Address));
  const quantity = (field: unknown, bits: number) => (field == null ? undefined : toQuantity(field, index, bits));
  const input = call.input ?? call.data;
  if (call.input != null && call.data != null && call.input !== call.data) {
    throw at(index, 'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data');
  }
  return {
    from: address(call.from),
    to: address(call.to),
    nonce: quantity(call.nonce, 64),
    chainId: quantity(call.chainId, 256),
    gas: quantity(call.gas, 64),
    gasPrice: quantity(call.gasPrice, 256),
    maxFeePerGas: quantity(call.maxFeePerGas, 256),
    maxPriorityFeePerGas: quantity(call.maxPriorityFeePerGas, 256),
    value: quantity(call.value, 256) ?? 0n,
    data: input == null ? '0x' : toHexBytes(input, index),
    accessList: toAccessList(call.accessList, index),
    authorizationList: toList(call.authorizationList, index, 'authorizations')?.map((item) =>
      toAuthorization(item, index),
    ),
    maxFeePerBlobGas: quantity(call.maxFeePerBlobGas, 256),
    blobVersionedHashes: toList(call.blobVersionedHashes, index, 'hashes')?.map((item) => toHexBytes(item, index, 32)),
  };
};
