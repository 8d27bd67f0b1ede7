import { existsSync, readFileSync } from 'node:fs';
import type { L1Contracts } from '@openledger/chain-config';
import { OpenLedgerError } from '@openledger/kit';
import type { Address, Hash, Hex } from 'viem';
import { writeFileAtomic } from '../chainFile.ts';

/** `deployments.json`: what `init` has fixed and sent, so that a second run goes on and doesn't deploy again. */
export type Journal = {
  /** Everything that the plan follows from, printable; a second run must be asked for the same. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly deployer: Address;
  readonly firstNonce: number;
  /** The L1 block that L2 starts from. */
  readonly start: { readonly hash: Hash; readonly number: string; readonly timestamp: string };
  readonly contracts: L1Contracts;
  /** By step, in the order of sending. */
  readonly transactions: Readonly<Record<string, Hex>>;
  readonly complete: boolean;
};

export const readJournal = (path: string): Journal | undefined => {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Journal;
  } catch (cause) {
    throw refused(`${path} is not readable`, cause);
  }
};

export const writeJournal = (path: string, journal: Journal): void =>
  writeFileAtomic(path, `${JSON.stringify(journal, null, 2)}\n`);

/** @throws CHAIN_EXISTS when the folder holds another chain than the one that is asked for */
export const checkSameChain = (journal: Journal, parameters: Journal['parameters'], deployer: Address): void => {
  const asked = { ...parameters, deployer: deployer.toLowerCase() };
  const there = { ...journal.parameters, deployer: journal.deployer.toLowerCase() };
  const names = new Set([...Object.keys(asked), ...Object.keys(there)]) as Set<keyof typeof asked>;
  const different = [...names].filter((name) => asked[name] !== there[name]);
  if (different.length === 0) return;
  const list = different.map((name) => `${name} ${there[name]} (asked for ${asked[name]})`).join(', ');
  throw refused(`the folder holds another chain: ${list}`);
};

const refused = (reason: string, cause?: unknown) =>
  new OpenLedgerError(reason, {
    code: 'CHAIN_EXISTS',
    handling: 'fatal',
    action: 'Use the options of the first run to go on with it, or another --out.',
    cause,
  });
