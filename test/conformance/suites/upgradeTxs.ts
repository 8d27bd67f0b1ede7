import { join } from 'node:path';
import { type Fork, forks } from '@openledger/chain-config';
import { type Hex, keccak256 } from 'viem';
import { upgradeTransactionsOf } from '../../../node/src/attributes/upgradeTransactions.ts';
import {
  type DepositTransaction,
  decodeDeposit,
  encodeDeposit,
} from '../../../node/src/primitives/depositTransaction.ts';
import type { Case, Suite } from '../suite.ts';
import { expectEqual, hex } from './support/expect.ts';
import { type FixtureFile, filesUnder } from './support/fixtureFiles.ts';

/** `<fork>_tx_<index>.hex`: the whole deposit, encoded. */
const TRANSACTION = /^(\w+)_tx_(\d+)\.hex$/;
/** `<contract>_<fork>.hex` and `<fork>-<contract>-deployment.hex`: creation code of one of a fork's deployments. */
const CODE = [/^(?<contract>\w+)_(?<fork>[a-z]+)\.hex$/, /^(?<fork>[a-z]+)-(?<contract>[\w-]+)-deployment\.hex$/];

const isOurs = (fork: string): fork is Fork =>
  (forks as readonly string[]).includes(fork) && upgradeTransactionsOf(fork as Fork).length > 0;

const textOf = (file: FixtureFile): Hex => hex(file.bytes.toString('utf8').trim());

const transactionCase = (file: FixtureFile, fork: Fork, index: number): Case => ({
  name: file.path,
  run: () => {
    const ours = upgradeTransactionsOf(fork)[index] as DepositTransaction;
    expectEqual(encodeDeposit(ours), textOf(file), 'encoded deposit');
    expectEqual(encodeDeposit(decodeDeposit(textOf(file))), textOf(file), 'decoded and encoded again');
  },
});

const codeCase = (file: FixtureFile, fork: Fork): Case => ({
  name: file.path,
  run: () => {
    const deployed = upgradeTransactionsOf(fork).filter(({ to }) => to === null);
    const hashes = deployed.map(({ data }) => keccak256(data));
    expectEqual(hashes.includes(keccak256(textOf(file))), true, `creation code of a ${fork} deployment`);
  },
});

const caseOf = (file: FixtureFile): Case | undefined => {
  const [, txFork = '', index] = TRANSACTION.exec(file.path) ?? [];
  if (index !== undefined) return isOurs(txFork) ? transactionCase(file, txFork, Number(index)) : undefined;
  const fork = CODE.map((pattern) => pattern.exec(file.path)?.groups?.fork).find(Boolean) ?? '';
  return isOurs(fork) ? codeCase(file, fork) : undefined;
};

/** The transactions that upgrade contracts at a fork. Forks that this node doesn't know (interop) have no cases. */
export const upgradeTxs: Suite = {
  name: 'upgrade-txs',
  cases: async (fixtures) => {
    const cases = filesUnder(join(fixtures, 'kona-derive', 'upgrade-txs'), '.hex').flatMap(
      (file) => caseOf(file) ?? [],
    );
    return cases.length > 0 ? cases : undefined;
  },
};
