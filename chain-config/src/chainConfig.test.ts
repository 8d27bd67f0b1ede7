import { getAddress, hexToString, size, slice, trim } from 'viem';
import { describe, expect, it } from 'vitest';
import { devnet } from './devnet.ts';
import { allForksAtGenesis, forks, isForkActive } from './forks.ts';
import { opPredeploys, systemAddresses } from './opPredeploys.ts';
import { predeploys } from './predeploys.ts';
import { preinstalls } from './preinstalls.ts';
import { openLedgerChain } from './viemChain.ts';

describe('forks', () => {
  it('are active from their second on, and never when they have none', () => {
    expect([9n, 10n, 11n].map((time) => isForkActive({ karst: 10n }, 'karst', time))).toEqual([false, true, true]);
    expect(isForkActive({}, 'bedrock', 1n << 60n)).toBe(false);
  });
  it('are all active at the genesis of a new chain', () => {
    expect(forks.every((fork) => isForkActive(allForksAtGenesis, fork, 0n))).toBe(true);
  });
});

describe('addresses', () => {
  const all = { ...predeploys, ...opPredeploys, ...preinstalls, ...systemAddresses };
  it('are written in lowercase, as they come out of the chain, and differ', () => {
    for (const address of Object.values(all)) expect(address).toBe(getAddress(address).toLowerCase());
    expect(new Set(Object.values(all)).size).toBe(Object.keys(all).length);
  });
  it('of our predeploys spell the name of the chain', () => {
    for (const address of Object.values(predeploys)) {
      expect(size(address)).toBe(20);
      expect(hexToString(slice(address, 0, 10))).toBe('OpenLedger');
      expect(size(trim(slice(address, 10)))).toBe(1);
    }
  });
});

describe('the viem chain', () => {
  const parameters = {
    id: devnet.l2ChainId,
    name: 'devnet',
    rpcUrl: 'http://127.0.0.1:8545',
    l1ChainId: devnet.l1ChainId,
  };
  it('has OPEN as its coin and the OP Stack’s contracts', () => {
    const chain = openLedgerChain(parameters);
    expect(chain).toMatchObject({ id: 16120, nativeCurrency: { symbol: 'OPEN', decimals: 18 }, sourceId: 900 });
    expect(chain.contracts?.gasPriceOracle).toMatchObject({ address: expect.stringMatching(/0f$/i) });
    expect(chain.rpcUrls.default.webSocket).toBeUndefined();
  });
  it('names the L1 contracts under the L1 chain', () => {
    const address = `0x${'11'.repeat(20)}` as const;
    const contracts = { optimismPortal: address, l2OutputOracle: address, l1StandardBridge: address };
    const chain = openLedgerChain({ ...parameters, webSocketUrl: 'ws://127.0.0.1:8545', contracts });
    expect(chain.contracts?.portal).toEqual({ 900: { address } });
    expect(chain.rpcUrls.default.webSocket).toEqual(['ws://127.0.0.1:8545']);
  });
});
