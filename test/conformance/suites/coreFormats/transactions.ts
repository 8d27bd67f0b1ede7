import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createCommon } from '../../../../node/src/execution/createCommon.ts';
import { decodeTransaction, type SignedL2Transaction } from '../../../../node/src/primitives/transaction.ts';
import type { Case } from '../../suite.ts';
import { expectEqual, expectRefused, hex } from '../support/expect.ts';
import { type FixtureFile, parseJson } from '../support/fixtureFiles.ts';

type Outcome = { exception?: string; hash?: string; sender?: string; intrinsicGas?: string };
type TransactionTest = { txbytes: string; result: Record<string, Outcome> };

/** The vectors' names of rule sets. */
const hardforks: Readonly<Record<string, Hardfork>> = {
  Frontier: Hardfork.Chainstart,
  Homestead: Hardfork.Homestead,
  EIP150: Hardfork.TangerineWhistle,
  EIP158: Hardfork.SpuriousDragon,
  Byzantium: Hardfork.Byzantium,
  Constantinople: Hardfork.Constantinople,
  ConstantinopleFix: Hardfork.Petersburg,
  Istanbul: Hardfork.Istanbul,
  Berlin: Hardfork.Berlin,
  London: Hardfork.London,
  Paris: Hardfork.Paris,
  Shanghai: Hardfork.Shanghai,
  Cancun: Hardfork.Cancun,
  Prague: Hardfork.Prague,
  Osaka: Hardfork.Osaka,
};

const { customCrypto } = createCommon(1);
const commons = new Map<string, Common>();
const commonOf = (fork: string): Common => {
  const hardfork = hardforks[fork];
  if (!hardfork) throw new Error(`no rule set ${fork}`);
  const common = commons.get(fork) ?? new Common({ chain: Mainnet, hardfork, customCrypto });
  commons.set(fork, common);
  return common;
};

/** What admission and execution ask of a transaction before they look at state. */
const accept = (raw: string, fork: string): SignedL2Transaction => {
  const transaction = decodeTransaction(hex(raw), commonOf(fork));
  if (transaction.kind !== 'signed') throw new Error('a deposit');
  const { tx } = transaction;
  const errors = tx.getValidationErrors();
  if (errors.length > 0) throw new Error(errors.join(', '));
  if (tx.gasLimit < tx.getIntrinsicGas()) throw new Error('intrinsic gas too low');
  return transaction;
};

/** TransactionTests: accepted with hash, sender and intrinsic gas, or refused, under each rule set. */
export const transactionCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, TransactionTest>>(file)).map(([name, { txbytes, result }]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      for (const [fork, outcome] of Object.entries(result)) {
        if (outcome.exception) {
          await expectRefused(() => accept(txbytes, fork).hash, `${fork}: ${outcome.exception}`);
          continue;
        }
        const { hash, from, tx } = accept(txbytes, fork);
        const gas = outcome.intrinsicGas === undefined ? undefined : BigInt(outcome.intrinsicGas);
        expectEqual([hash, from, gas && tx.getIntrinsicGas()], [outcome.hash, outcome.sender, gas], fork);
      }
    },
  }));
