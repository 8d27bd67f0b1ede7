import { join } from 'node:path';
import type { Case, Suite } from '../suite.ts';
import { difficultyCases, genesisHashCases, keyCases, signedTransactionCases } from './coreFormats/basics.ts';
import { abiCases, keystoreCases, rlpCases } from './coreFormats/encodings.ts';
import { genesisCases } from './coreFormats/genesis.ts';
import { transactionCases } from './coreFormats/transactions.ts';
import { hexPrefixCases, trieCases } from './coreFormats/tries.ts';
import { type FixtureFile, filesInTar, filesUnder } from './support/fixtureFiles.ts';

/**
 * By path; the first that fits reads the file. Nothing in the product reads BasicTests' crypto (devp2p's encryption) and
 * blockgenesistest (a block format from before Ethereum's launch).
 */
const readers: readonly (readonly [RegExp, (file: FixtureFile) => Case[]])[] = [
  [/^RLPTests\//, rlpCases],
  [/^TrieTests\//, trieCases],
  [/^KeyStoreTests\//, keystoreCases],
  [/^ABITests\//, abiCases],
  [/^TransactionTests\//, transactionCases],
  [/^GenesisTests\//, genesisCases],
  [/^BasicTests\/genesishashes/, genesisHashCases],
  [/^BasicTests\/hexencode/, hexPrefixCases],
  [/^BasicTests\/keyaddr/, keyCases],
  [/^BasicTests\/txtest/, signedTransactionCases],
  [/^BasicTests\/difficulty/, difficultyCases],
];

const KINDS = /^(RLP|Trie|KeyStore|ABI|Transaction|Genesis|Basic)Tests\/.*\.json$/;

/** ethereum/tests' core formats, unpacked or in archives. A file that is there in both ways is read once. */
export const coreFormats: Suite = {
  name: 'core-formats',
  cases: async (fixtures) => {
    const folder = join(fixtures, 'ethereum-tests');
    const files = new Map<string, FixtureFile>();
    for (const archive of filesUnder(folder, '.tar.gz')) {
      for (const file of await filesInTar(join(folder, archive.path), KINDS)) files.set(file.path, file);
    }
    for (const file of filesUnder(folder, '.json')) files.set(file.path, file);
    const known = [...files.values()].flatMap((file) => {
      const read = readers.find(([pattern]) => pattern.test(file.path))?.[1];
      if (!read) process.stderr.write(`core-formats: no cases of ${file.path}\n`);
      return read?.(file) ?? [];
    });
    return known.length > 0 ? known : undefined;
  },
};
