import { join } from 'node:path';
import type { Case, Suite } from '../suite.ts';
import { configUpdates, namedAddresses, topics } from './literals/l1Rules.ts';
import { brotli, deposits, l1Attributes, outputRoots, receipts, transactions, trieNodes } from './literals/l2Rules.ts';
import type { Harvest, Literal, Rule } from './literals/literal.ts';
import { upgrades } from './literals/upgradeRules.ts';
import { filesUnder, parseJson } from './support/fixtureFiles.ts';

/** The first that recognises a literal checks it. */
const rules: readonly Rule[] = [
  l1Attributes,
  deposits,
  receipts,
  configUpdates,
  topics,
  outputRoots,
  brotli,
  transactions,
  trieNodes,
  namedAddresses,
  upgrades,
];

const recognise = (literal: Literal, all: readonly Literal[]): Case | undefined => {
  const siblings = all.filter(({ file, in_fn }) => file === literal.file && in_fn === literal.in_fn);
  for (const rule of rules) {
    const run = rule(literal, siblings);
    if (run) return { name: `${literal.file}:${literal.line} ${literal.in_fn ?? literal.const ?? ''}`, run };
  }
  return undefined;
};

/** Byte strings in the unit tests of other clients. Most are hashes and addresses that mean nothing alone: no cases. */
export const literals: Suite = {
  name: 'literals',
  cases: async (fixtures) => {
    const cases: Case[] = [];
    for (const file of filesUnder(join(fixtures, 'harvest'), '.json')) {
      const { items } = parseJson<Harvest>(file);
      const found = items.flatMap((literal) => recognise(literal, items) ?? []);
      process.stderr.write(`literals: ${found.length} recognised of ${items.length} in ${file.path}\n`);
      cases.push(...found);
    }
    return cases.length > 0 ? cases : undefined;
  },
};
