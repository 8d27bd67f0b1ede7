import { readFileSync, statSync } from 'node:fs';
import { DEVNET_MNEMONIC } from '@openledger/chain-config';
import { OpenLedgerError } from '@openledger/kit';
import { type Address, type Hex, isAddressEqual, isHex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { decryptKeystore } from './keystore.ts';

/** Where a private key may come from; a file holds it as hex, or encrypted as a keystore. */
export type KeySource = {
  readonly keyFile: string;
  readonly passwordFile: string;
  readonly key: string;
  /** Of the flag for the file, to name it when there is no key. */
  readonly flag: string;
};

/** @throws KEY_MISSING, KEY_INVALID, KEYSTORE_INVALID, KEYSTORE_PASSWORD */
export const readKey = async ({ keyFile, passwordFile, key, flag }: KeySource): Promise<Hex> => {
  if (key) return parseKey(key);
  if (!keyFile) {
    throw new OpenLedgerError('no key to sign with', {
      code: 'KEY_MISSING',
      handling: 'fatal',
      action: `Give a file with --${flag}: 64 hex digits, or a keystore and its password file.`,
    });
  }
  const text = readText(keyFile);
  checkPrivate(keyFile);
  if (!text.startsWith('{')) return parseKey(text);
  return decryptKeystore(text, passwordFile ? readText(passwordFile) : '');
};

/** A token out of a file that nobody else may read. @throws KEY_MISSING, KEY_INVALID */
export const readSecret = (file: string, flag: string): string => {
  if (!file) {
    throw new OpenLedgerError('no token', {
      code: 'KEY_MISSING',
      handling: 'fatal',
      action: `Give a file with --${flag}; \`openssl rand -hex 32\` makes a token.`,
    });
  }
  const text = readText(file);
  checkPrivate(file);
  return text;
};

const checkPrivate = (file: string): void => {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw invalid('others may read its file; allow it to nobody but you (chmod 600)');
  }
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw invalid(`the file ${path} can't be read`, cause);
  }
};

/** Never tells what it was given. */
const parseKey = (text: string): Hex => {
  const key = text.startsWith('0x') ? text : `0x${text}`;
  if (!isHex(key) || key.length !== 66) throw invalid('it is not 32 bytes of hex');
  return key;
};

const invalid = (reason: string, cause?: unknown) =>
  new OpenLedgerError(`unusable private key: ${reason}`, {
    code: 'KEY_INVALID',
    handling: 'fatal',
    action: 'Use 0x and 64 hex digits, or a version 3 keystore and the file with its password.',
    cause,
  });

/** L1 chains of one machine, which nobody can reach. */
const DEV_CHAINS: ReadonlySet<number> = new Set([900, 1337, 31_337]);
const WELL_KNOWN_ACCOUNTS = 20;

/** Everybody has the keys of the test mnemonic: on a chain that others reach they own nothing. @throws KEY_WELL_KNOWN */
export const refuseWellKnown = (roles: Readonly<Record<string, Address>>, l1ChainId: number): void => {
  if (DEV_CHAINS.has(l1ChainId)) return;
  for (let addressIndex = 0; addressIndex < WELL_KNOWN_ACCOUNTS; addressIndex++) {
    const { address } = mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex });
    for (const [role, account] of Object.entries(roles)) {
      if (!isAddressEqual(account, address)) continue;
      throw new OpenLedgerError(`the ${role} ${address} is an account of the public test mnemonic`, {
        code: 'KEY_WELL_KNOWN',
        handling: 'fatal',
        action: `Make a key of your own; L1 chain ${l1ChainId} is not a dev chain.`,
        meta: { role },
      });
    }
  }
};

export const isDevChain = (l1ChainId: number): boolean => DEV_CHAINS.has(l1ChainId);
