import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { L1Contracts } from '@openledger/chain-config';
import { OpenLedgerError } from '@openledger/kit';
import type { Genesis } from '@openledger/node';
import type { Address } from 'viem';

/** Everything that the processes of one network share; made once, when the chain is made. */
export type ChainFile = {
  readonly name: string;
  readonly genesis: Genesis;
  readonly l1Contracts: L1Contracts;
  readonly governance: Address;
};

const BIGINT = /^(-?\d+)n$/;

/** Integers above 32 bits are strings of digits with an `n` behind them. */
export const writeChainFile = (path: string, chain: ChainFile): void => {
  const text = JSON.stringify(chain, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
  writeFileAtomic(path, text);
};

/** @throws CHAIN_FILE_INVALID */
export const readChainFile = (path: string): ChainFile => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'), (_key, value) => {
      const digits = typeof value === 'string' ? BIGINT.exec(value)?.[1] : undefined;
      return digits === undefined ? value : BigInt(digits);
    }) as ChainFile;
  } catch (cause) {
    throw new OpenLedgerError(`no readable chain file at ${path}`, {
      code: 'CHAIN_FILE_INVALID',
      handling: 'fatal',
      action: 'Start the devnet once, or point --chain to the chain.json of your network.',
      cause,
    });
  }
};

/** Whole or not at all; readable by this user only. */
export const writeFileAtomic = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
};
