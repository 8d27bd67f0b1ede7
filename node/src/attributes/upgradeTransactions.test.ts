import { allForksAtGenesis } from '@openledger/chain-config';
import { getContractAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { decodeDeposit, encodeDeposit } from '../primitives/depositTransaction.ts';
import { upgradeTransactions, upgradeTransactionsOf } from './upgradeTransactions.ts';

const { karst: _karst, ...known } = allForksAtGenesis;

describe('upgrade transactions', () => {
  it('come in the first block of their fork, in order', () => {
    const config = { forks: { ...known, ecotone: 10n, fjord: 12n, jovian: 14n, isthmus: 14n } };
    const counts = [
      [6n, 8n],
      [8n, 10n],
      [10n, 12n],
      [11n, 13n],
      [12n, 14n],
      [14n, 16n],
    ] as const;
    expect(counts.map(([parent, time]) => upgradeTransactions(config, parent, time).length)).toEqual([
      0, 6, 3, 3, 13, 0,
    ]);
    expect(upgradeTransactions({ forks: allForksAtGenesis }, 0n, 2n)).toEqual([]);
  });
  it('of Karst are not known', () => {
    expect(() => upgradeTransactions({ forks: { ...known, karst: 10n } }, 9n, 10n)).toThrow(
      expect.objectContaining({ code: 'UPGRADE_UNKNOWN', handling: 'fatal' }),
    );
  });
  it('make proxies point to what was deployed', () => {
    for (const fork of ['ecotone', 'fjord', 'isthmus', 'jovian'] as const) {
      const all = upgradeTransactionsOf(fork);
      const deployed = all
        .filter(({ to }) => to === null)
        .map(({ from }) => getContractAddress({ from, nonce: 0n }).toLowerCase());
      const implementations = all
        .filter(({ data }) => data.startsWith('0x3659cfe6'))
        .map(({ data }) => `0x${data.slice(-40)}`);
      for (const implementation of implementations) expect(deployed).toContain(implementation);
      for (const deposit of all) expect(decodeDeposit(encodeDeposit(deposit))).toEqual(deposit);
    }
  });
  it('have the source hashes that op-node gives them (the specs misspell two names)', () => {
    const [l1Block] = upgradeTransactionsOf('jovian');
    expect(l1Block?.sourceHash).toBe('0xbb1a656f65401240fac3db12e7a79ebb954b11e62f7626eb11691539b798d3bf');
    expect(upgradeTransactionsOf('jovian').at(-1)?.sourceHash).toBe(
      '0xe836db6a959371756f8941be3e962d000f7e12a32e49e2c9ca42ba177a92716c',
    );
  });
});
