import { allForksAtGenesis, packFeeScalars } from '@openledger/chain-config';
import { concatHex, encodeAbiParameters, type Hex, numberToHex, pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { decodeDeposit, encodeDeposit } from '../primitives/depositTransaction.ts';
import { l1AttributesDeposit, parseL1Attributes } from '../primitives/l1Attributes.ts';
import { blobBaseFeeOf } from './blobBaseFee.ts';
import { depositsOf, TRANSACTION_DEPOSITED_TOPIC } from './deposits.ts';
import type { L1Log } from './l1Source.ts';

const blockHash: Hex = `0x${'ab'.repeat(32)}`;
const from: Hex = `0x${'01'.repeat(20)}`;
const to: Hex = `0x${'02'.repeat(20)}`;
const opaque = (creation: boolean, data: Hex = '0x') =>
  concatHex([
    numberToHex(5n, { size: 32 }),
    numberToHex(3n, { size: 32 }),
    numberToHex(90_000n, { size: 8 }),
    creation ? '0x01' : '0x00',
    data,
  ]);
const portal: Hex = `0x${'14'.repeat(20)}`;
const log = (given: Partial<L1Log> & { version?: bigint } = {}): L1Log => ({
  address: given.address ?? portal,
  topics: [
    TRANSACTION_DEPOSITED_TOPIC,
    pad(from, { size: 32 }),
    pad(to, { size: 32 }),
    numberToHex(given.version ?? 0n, { size: 32 }),
  ],
  data: encodeAbiParameters([{ type: 'bytes' }], [given.data ?? opaque(false, '0xc0de')]),
  logIndex: given.logIndex ?? 7n,
});
const userDeposits = (...logs: L1Log[]) => depositsOf([{ success: true, logs }], portal, blockHash);

describe('deposits from L1 logs', () => {
  it('carry mint, value, gas and data', () => {
    expect(userDeposits(log())).toMatchObject([
      { from, to, mint: 5n, value: 3n, gas: 90_000n, data: '0xc0de', isSystemTransaction: false },
    ]);
  });
  it('create a contract when they say so, whatever the recipient is', () => {
    expect(userDeposits(log({ data: opaque(true) }))).toMatchObject([{ to: null, data: '0x' }]);
  });
  it('differ in their source hash by block and log', () => {
    const [one, two] = userDeposits(log(), log({ logIndex: 8n }));
    expect(one?.sourceHash).not.toBe(two?.sourceHash);
  });
  it.each([
    ['of an unknown version', log({ version: 1n })],
    ['that are too short', log({ data: '0x1234' })],
    ['that are empty', log({ data: '0x' })],
  ])('%s are bad data', (_what, bad) => {
    expect(() => userDeposits(bad)).toThrow(expect.objectContaining({ code: 'L1_BAD_DATA', handling: 'retry' }));
  });
  it('are those of the portal, in transactions that succeeded', () => {
    expect(userDeposits(log({ address: from }), { ...log(), topics: [pad(from, { size: 32 })] })).toEqual([]);
    expect(depositsOf([{ success: false, logs: [log()] }], portal, blockHash)).toEqual([]);
  });
  it('survive encoding as transactions', () => {
    for (const deposit of userDeposits(log(), log({ data: opaque(true, '0x00ff') }))) {
      expect(decodeDeposit(encodeDeposit(deposit))).toEqual(deposit);
    }
    for (const bad of ['0x7e', '0x7ec0', '0x7e01', '0x7ec3010203'] as Hex[]) {
      expect(() => decodeDeposit(bad)).toThrow(expect.objectContaining({ code: 'TX_MALFORMED' }));
    }
  });
});

describe('L1 attributes', () => {
  const systemConfig = {
    batcherAddress: from,
    gasLimit: 1n,
    overhead: 0n,
    scalar: packFeeScalars({ baseFeeScalar: 1, blobBaseFeeScalar: 2 }),
    operatorFeeScalar: 3,
    operatorFeeConstant: 4n,
    daFootprintGasScalar: 5,
    eip1559Denominator: 250,
    eip1559Elasticity: 6,
    minBaseFee: 0n,
  };
  const deposit = l1AttributesDeposit({ forks: allForksAtGenesis, blockTime: 1n }, 100n, {
    origin: { number: 9n, hash: blockHash },
    timestamp: 1n,
    baseFee: 2n,
    blobBaseFee: 3n,
    sequenceNumber: 4n,
    systemConfig,
  });
  it('say which L1 block a block is of', () => {
    expect(parseL1Attributes(deposit)).toMatchObject({ origin: { number: 9n, hash: blockHash }, sequenceNumber: 4n });
  });
  it.each([
    ['sender', { from }],
    ['selector', { data: `0x00000000${deposit.data.slice(10)}` as Hex }],
    ['length', { data: `${deposit.data}00` as Hex }],
  ])('of another %s are refused', (_what, change) => {
    expect(() => parseL1Attributes({ ...deposit, ...change })).toThrow(
      expect.objectContaining({ code: 'BLOCK_INVALID' }),
    );
  });
});

describe('the blob base fee', () => {
  it('is 1 wei without excess and grows by e for every update fraction (EIP-4844, EIP-7691)', () => {
    expect([0n, 5_007_716n, 50_077_160n].map((excess) => blobBaseFeeOf(excess))).toEqual([1n, 2n, 22_026n]);
  });
});
