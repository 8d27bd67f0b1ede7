import { type Address, type Hex, isHex, numberToHex, pad, size } from 'viem';
import { nodeError } from '../errors.ts';
import { ZERO_HASH } from '../primitives/header.ts';
import type { BlockZero } from './blockZero.ts';
import type { GenesisAccount, GenesisAlloc } from './genesisMachine.ts';

/** A genesis.json: block 0, and the file's own `config` (chain id, forks by block and time) as it stands. */
export type GethGenesis = BlockZero & { readonly config: Readonly<Record<string, unknown>> };

type Json = Readonly<Record<string, unknown>>;

const ZERO_ADDRESS: Address = `0x${'00'.repeat(20)}`;
const NONCE_BYTES = 8;

/**
 * Reads a genesis.json as geth and op-geth write it; hex and decimal quantities, addresses with or without 0x.
 * @throws GENESIS_INVALID
 */
export const readGethGenesis = (json: string): GethGenesis => {
  const file = object(parse(json), 'file');
  const optional = (name: string) => (file[name] == null ? {} : { [name]: quantity(file[name], name) });
  return {
    config: file.config == null ? {} : object(file.config, 'config'),
    timestamp: quantity(file.timestamp, 'timestamp'),
    header: {
      number: quantity(file.number, 'number'),
      parentHash: file.parentHash == null ? ZERO_HASH : bytes(file.parentHash, 'parentHash', 32),
      coinbase: file.coinbase == null ? ZERO_ADDRESS : (bytes(file.coinbase, 'coinbase', 20) as Address),
      difficulty: quantity(file.difficulty, 'difficulty'),
      gasLimit: quantity(file.gasLimit, 'gasLimit'),
      gasUsed: quantity(file.gasUsed, 'gasUsed'),
      extraData: file.extraData == null ? '0x' : bytes(file.extraData, 'extraData'),
      mixHash: file.mixHash == null ? ZERO_HASH : bytes(file.mixHash, 'mixHash', 32),
      nonce: numberToHex(quantity(file.nonce, 'nonce'), { size: NONCE_BYTES }),
      ...optional('baseFeePerGas'),
      ...optional('blobGasUsed'),
      ...optional('excessBlobGas'),
    },
    alloc: readAlloc(object(file.alloc ?? {}, 'alloc')),
  };
};

const readAlloc = (alloc: Json): GenesisAlloc => {
  const accounts = Object.entries(alloc).map(([key, value]): [Address, GenesisAccount] => {
    const account = object(value, key);
    const storage = Object.entries(object(account.storage ?? {}, `storage of ${key}`)).map(([slot, word]) => [
      pad(bytes(slot, `slot of ${key}`)),
      pad(bytes(word, `storage of ${key}`)),
    ]);
    return [
      bytes(key, 'address', 20) as Address,
      {
        balance: quantity(account.balance ?? account.wei, `balance of ${key}`),
        nonce: quantity(account.nonce, `nonce of ${key}`),
        code: account.code == null ? '0x' : bytes(account.code, `code of ${key}`),
        storage: Object.fromEntries(storage),
      },
    ];
  });
  return Object.fromEntries(accounts);
};

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw nodeError('GENESIS_INVALID', 'the genesis file is no JSON', {}, cause);
  }
};

const object = (value: unknown, name: string): Json => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalid(name, value);
  return value as Json;
};

/** Absent and empty are zero. */
const quantity = (value: unknown, name: string): bigint => {
  if (value == null || value === '' || value === '0x') return 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value)) return BigInt(value);
  throw invalid(name, value);
};

const bytes = (value: unknown, name: string, length?: number): Hex => {
  const text = typeof value === 'string' && !value.startsWith('0x') ? `0x${value}` : value;
  if (!isHex(text) || text.length % 2 !== 0 || (length !== undefined && size(text) !== length)) {
    throw invalid(name, value);
  }
  return text.toLowerCase() as Hex;
};

const invalid = (name: string, value: unknown) =>
  nodeError('GENESIS_INVALID', `the genesis file has a wrong ${name}`, { value: String(value).slice(0, 80) });
