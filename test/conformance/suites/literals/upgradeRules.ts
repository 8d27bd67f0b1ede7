import { basename } from 'node:path';
import { type Fork, forks, includesFork, systemAddresses } from '@openledger/chain-config';
import { getContractAddress, type Hex, keccak256, slice } from 'viem';
import { upgradeTransactionsOf } from '../../../../node/src/attributes/upgradeTransactions.ts';
import { createCommon } from '../../../../node/src/execution/createCommon.ts';
import { GenesisMachine } from '../../../../node/src/genesis/genesisMachine.ts';
import { expectEqual } from '../support/expect.ts';
import type { Literal, Rule } from './literal.ts';

const FORK = /^(ecotone|fjord|isthmus|jovian)(_upgrade)?\.rs$/;
const UPGRADE_TO: Hex = '0x3659cfe6';

/** The fork whose upgrade transactions a file is about. */
const forkOf = ({ file }: Literal): Fork | undefined => FORK.exec(basename(file))?.[1] as Fork | undefined;

/** Everything that the transactions of a fork and those before name: senders, recipients, what is created, proxies' targets. */
const addressesOf = (fork: Fork): Hex[] =>
  forks
    .filter((earlier) => includesFork(fork, earlier))
    .flatMap(upgradeTransactionsOf)
    .flatMap(({ from, to, data }): Hex[] => [
      from,
      to ?? getContractAddress({ from, nonce: 0n }),
      ...(data.startsWith(UPGRADE_TO) ? [slice(data, 16, 36)] : []),
    ])
    .concat(Object.values(systemAddresses))
    .map((address) => address.toLowerCase() as Hex);

/** Hashes of the code that the deployments leave, found by running them. */
const codeHashesOf = async (fork: Fork): Promise<Hex[]> => {
  const machine = await GenesisMachine.create(createCommon(10, fork), 1n);
  const creations = upgradeTransactionsOf(fork).filter(({ to }) => to === null);
  const created = [];
  for (const { from, data } of creations) created.push(await machine.deploy(from, 0n, data));
  const alloc = await machine.alloc();
  return created.map((address) => keccak256(alloc[address as Hex]?.code ?? '0x'));
};

const expectOneOf = (all: readonly Hex[], hex: Hex, what: string): void =>
  expectEqual(all.includes(hex.toLowerCase() as Hex) ? hex : all, hex, what);

/** In files of upgrades: source hashes, code hashes, addresses, calldata and creation code of the fork's transactions. */
export const upgrades: Rule = (literal) => {
  const fork = forkOf(literal);
  const { hex, bytes, const: name, in_fn } = literal;
  if (!fork || /^ZERO_/.test(name ?? '')) return undefined;
  if (bytes === 20) return () => expectOneOf(addressesOf(fork), hex, 'address');
  if (bytes === 32 && /code_hash/i.test(`${name} ${in_fn}`)) {
    return async () => expectOneOf(await codeHashesOf(fork), hex, 'code hash');
  }
  if (bytes === 32) {
    return () =>
      expectOneOf(
        upgradeTransactionsOf(fork).map(({ sourceHash }) => sourceHash),
        hex,
        'source hash',
      );
  }
  return () =>
    expectOneOf(
      upgradeTransactionsOf(fork).map(({ data }) => data),
      hex,
      'calldata',
    );
};
