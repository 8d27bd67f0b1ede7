import { devnet } from '@openledger/chain-config';
import { pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { ScriptedL1 } from '../../test/support/scriptedL1.ts';
import { makeGenesis } from '../../test/support/testGenesis.ts';
import { createCommon } from '../execution/createCommon.ts';
import { StateStore } from '../state/stateStore.ts';
import type { BlockZero } from './blockZero.ts';
import { makeBlockZero } from './blockZero.ts';
import { type Genesis, makeGenesisBlock } from './genesisBlock.ts';
import { readGethGenesis } from './gethGenesis.ts';
import { writeGethGenesis } from './writeGethGenesis.ts';

const blockOf = async (genesis: Genesis) =>
  (await makeGenesisBlock(genesis, new StateStore(openMemoryDb()), createCommon(devnet.l2ChainId))).block;

describe('genesis.json', () => {
  it('of a new chain gives the same block when it is read back', async () => {
    const genesis = await makeGenesis(new ScriptedL1().genesis);
    const read = readGethGenesis(writeGethGenesis(genesis));
    expect(read.alloc).toEqual(genesis.alloc);
    expect(read.config).toMatchObject({ chainId: devnet.l2ChainId, jovianTime: 0, pragueTime: 0 });
    expect((await blockOf({ ...read, config: genesis.config })).hash).toBe((await blockOf(genesis)).hash);
  });

  it('may have decimal balances, short slots, zero words and addresses without 0x', () => {
    const { alloc, header, timestamp } = readGethGenesis(
      JSON.stringify({
        timestamp: '0x5',
        gasLimit: 30_000_000,
        nonce: '0x42',
        alloc: {
          [`AA${'00'.repeat(19)}`]: { balance: '12', storage: { '0x03': '0x07', '0x04': `0x${'00'.repeat(32)}` } },
          [`0x${'bb'.repeat(20)}`]: { balance: '0xff', nonce: '0x1', code: '0x60' },
        },
      }),
    );
    expect(timestamp).toBe(5n);
    expect(header).toMatchObject({ gasLimit: 30_000_000n, nonce: '0x0000000000000042', extraData: '0x' });
    expect(header.baseFeePerGas).toBeUndefined();
    expect(alloc).toEqual({
      [`0xaa${'00'.repeat(19)}`]: {
        balance: 12n,
        nonce: 0n,
        code: '0x',
        storage: { [pad('0x03')]: pad('0x07'), [pad('0x04')]: pad('0x00') },
      },
      [`0x${'bb'.repeat(20)}`]: { balance: 255n, nonce: 1n, code: '0x60', storage: {} },
    });
  });

  it('is refused when a field is not what it should be', () => {
    const bad = [
      'no json',
      '[]',
      '{"alloc":{"00":{}}}',
      '{"gasLimit":"many"}',
      '{"gasLimit":-1}',
      '{"extraData":"0x1"}',
      '{"mixHash":"0x00"}',
      `{"alloc":{"${'00'.repeat(20)}":{"storage":[]}}}`,
    ];
    for (const json of bad) {
      expect(() => readGethGenesis(json), json).toThrow(expect.objectContaining({ code: 'GENESIS_INVALID' }));
    }
  });
});

describe('block 0', () => {
  const zero: BlockZero = readGethGenesis('{"gasLimit":"0x1c9c380"}');
  const fieldsUnder = async (fork: 'bedrock' | 'canyon' | 'ecotone' | 'isthmus') =>
    Object.keys((await makeBlockZero(zero, new StateStore(openMemoryDb()), createCommon(1, fork))).header).slice(15);

  it('has the header fields of the fork that is active', async () => {
    expect(await fieldsUnder('bedrock')).toEqual(['baseFeePerGas']);
    expect(await fieldsUnder('canyon')).toEqual(['baseFeePerGas', 'withdrawalsRoot']);
    const blob = ['blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot'];
    expect(await fieldsUnder('ecotone')).toEqual(['baseFeePerGas', 'withdrawalsRoot', ...blob]);
    expect(await fieldsUnder('isthmus')).toEqual(['baseFeePerGas', 'withdrawalsRoot', ...blob, 'requestsHash']);
  });

  it('does not depend on words that are zero', async () => {
    const address = `0x${'11'.repeat(20)}` as const;
    const account = { balance: 1n, nonce: 0n, code: '0x', storage: {} } as const;
    const rootOf = async (storage: Record<`0x${string}`, `0x${string}`>) => {
      const alloc = { [address]: { ...account, storage } };
      return (await makeBlockZero({ ...zero, alloc }, new StateStore(openMemoryDb()), createCommon(1))).header
        .stateRoot;
    };
    expect(await rootOf({ [pad('0x01')]: pad('0x00') })).toBe(await rootOf({}));
    expect(await rootOf({ [pad('0x01')]: pad('0x01') })).not.toBe(await rootOf({}));
  });
});
