import { devnet, opPredeploys, predeploys, systemAddresses } from '@openledger/chain-config';
import { pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { ScriptedL1 } from '../../test/support/scriptedL1.ts';
import { TestChain } from '../../test/support/testChain.ts';
import { genesisAlloc, genesisInputs, makeGenesis } from '../../test/support/testGenesis.ts';
import { createCommon } from '../execution/createCommon.ts';
import { StateStore } from '../state/stateStore.ts';
import { buildGenesisAlloc } from './buildGenesis.ts';
import { makeGenesisBlock } from './genesisBlock.ts';

const common = createCommon(devnet.l2ChainId);
const blockOf = async (alloc: Awaited<ReturnType<typeof genesisAlloc>>) => {
  const genesis = await makeGenesis(new ScriptedL1().genesis);
  return (await makeGenesisBlock({ ...genesis, alloc }, new StateStore(openMemoryDb()), common)).block;
};

describe('genesis', () => {
  it('has the hash that it always had for a fixed state and time', async () => {
    const account = { balance: 5n, nonce: 1n, code: '0x602a', storage: { [pad('0x01')]: pad('0xff') } } as const;
    const block = await blockOf({ [`0x${'11'.repeat(20)}`]: account, [`0x${'22'.repeat(20)}`]: account });
    expect(block.hash).toBe('0xeb7713b436cb83dee6c57df64da1b7f878cb18cdd00481607036bd43d380f53e');
  });

  it('is the same when it is built twice', async () => {
    const again = await buildGenesisAlloc(genesisInputs, createCommon(devnet.l2ChainId));
    expect(again).toEqual(await genesisAlloc());
    expect(Object.keys(again)).toEqual(Object.keys(await genesisAlloc()));
  });

  it('depends on the timestamp, the governance and the state', async () => {
    const alloc = await genesisAlloc();
    const later = await makeGenesis(new ScriptedL1().genesis);
    const shifted = await makeGenesisBlock({ ...later, alloc, timestamp: 5n }, new StateStore(openMemoryDb()), common);
    const richer = await blockOf({
      ...alloc,
      [`0x${'77'.repeat(20)}`]: { balance: 1n, nonce: 0n, code: '0x', storage: {} },
    });
    const hashes = [(await blockOf(alloc)).hash, shifted.block.hash, richer.hash];
    expect(new Set(hashes).size).toBe(3);
  });

  it('has code at every predeploy, and no account that owns anything', async () => {
    const alloc = await genesisAlloc();
    const named = [
      ...Object.values(predeploys),
      ...Object.values(opPredeploys),
      systemAddresses.beaconRoots,
      systemAddresses.historyStorage,
    ];
    for (const address of named) expect(alloc[address]?.code.length, address).toBeGreaterThan(100);
    expect(Object.values(alloc).every(({ balance }) => balance === 0n)).toBe(true);
  });

  it('refuses the data of another chain', async () => {
    const db = openMemoryDb();
    const chain = await TestChain.start({ db });
    const other = { ...chain.genesis, timestamp: 5n };
    await expect(TestChain.start({ db, genesis: other })).rejects.toEqual(
      expect.objectContaining({ code: 'STORE_WRONG_CHAIN', handling: 'fatal' }),
    );
  });
});
