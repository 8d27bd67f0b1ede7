import { createRequire } from 'node:module';
import {
  type Abi,
  concat,
  type Hex,
  keccak256,
  numberToHex,
  padHex,
  stringToHex,
  toFunctionSelector,
  toFunctionSignature,
  toHex,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { l1BlockAbi, l1BlockBytecode } from '../ts/generated/L1Block.ts';
import { isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import { alice, create, hashOf } from './support/system.ts';

const chain = await startChain();
const l1Block = contractAt(chain, l1BlockAbi, await create(chain, l1BlockBytecode));
isolateTests(chain);

const DEPOSITOR = '0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001';
const ETHER = '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE';
const word = (value: bigint) => numberToHex(value, { size: 32 });

async function slot(position: bigint | Hex): Promise<Hex> {
  const at = typeof position === 'bigint' ? word(position) : position;
  return (await chain.client.getStorageAt({ address: l1Block.address, slot: at })) ?? '0x';
}

async function slots(count: bigint) {
  const all: Hex[] = [];
  for (let i = 0n; i < count; i++) all.push(await slot(i));
  return all;
}

const basefee = 2n ** 255n + 7n;
const blobBaseFee = 2n ** 254n + 9n;
/** The fields of one call, each filling its width so that a neighbour's bits would show. */
const ecotone = concat([
  numberToHex(0xb0b1b2b3, { size: 4 }), // baseFeeScalar
  numberToHex(0xc0c1c2c3, { size: 4 }), // blobBaseFeeScalar
  numberToHex(0xd0d1d2d3d4d5d6d7n, { size: 8 }), // sequenceNumber
  numberToHex(0xe0e1e2e3e4e5e6e7n, { size: 8 }), // timestamp
  numberToHex(0xf0f1f2f3f4f5f6f7n, { size: 8 }), // number
  word(basefee),
  word(blobBaseFee),
  hashOf('block'),
  hashOf('batcher'),
]);
const operator = concat([numberToHex(0xa0a1a2a3, { size: 4 }), numberToHex(0x9091929394959697n, { size: 8 })]);

const ecotoneSlots = [
  `0x${'00'.repeat(16)}e0e1e2e3e4e5e6e7f0f1f2f3f4f5f6f7`,
  word(basefee),
  hashOf('block'),
  `0x${'00'.repeat(16)}b0b1b2b3c0c1c2c3d0d1d2d3d4d5d6d7`,
  hashOf('batcher'),
  word(0n),
  word(0n),
  word(blobBaseFee),
];

const setters = [
  { name: 'Ecotone', selector: '0x440a5e20', data: ecotone, size: 164, slot8: word(0n) },
  {
    name: 'Isthmus',
    selector: '0x098999be',
    data: concat([ecotone, operator]),
    size: 176,
    slot8: `0x${'00'.repeat(20)}a0a1a2a39091929394959697`,
  },
  {
    name: 'Jovian',
    selector: '0x3db6be2b',
    data: concat([ecotone, operator, '0x8182']),
    size: 178,
    slot8: `0x${'00'.repeat(18)}8182a0a1a2a39091929394959697`,
  },
] as const;

describe('packed setters', () => {
  for (const { name, selector, data, size, slot8 } of setters) {
    it(`setL1BlockValues${name} fills exactly its slots`, async () => {
      expect(toFunctionSelector(`setL1BlockValues${name}()`)).toBe(selector);
      const call = concat([selector, data]);
      expect((call.length - 2) / 2).toBe(size);
      const receipt = await chain.send({ from: DEPOSITOR, to: l1Block.address, data: call });
      expect(receipt.status).toBe('success');
      expect(await slots(10n)).toEqual([...ecotoneSlots, slot8, word(0n)]);

      const short = await chain.send({ from: DEPOSITOR, to: l1Block.address, data: call.slice(0, -2) as Hex });
      expect(short.status).toBe('reverted');
      await l1Block.refuses(alice, `setL1BlockValues${name}`, [], 'NotDepositor');
    });
  }

  it('are read back by the getters', async () => {
    await chain.send({ from: DEPOSITOR, to: l1Block.address, data: concat(['0x3db6be2b', setters[2].data]) });
    expect(await l1Block.read('number', [])).toBe(0xf0f1f2f3f4f5f6f7n);
    expect(await l1Block.read('timestamp', [])).toBe(0xe0e1e2e3e4e5e6e7n);
    expect(await l1Block.read('basefee', [])).toBe(basefee);
    expect(await l1Block.read('blobBaseFee', [])).toBe(blobBaseFee);
    expect(await l1Block.read('hash', [])).toBe(hashOf('block'));
    expect(await l1Block.read('batcherHash', [])).toBe(hashOf('batcher'));
    expect(await l1Block.read('sequenceNumber', [])).toBe(0xd0d1d2d3d4d5d6d7n);
    expect(await l1Block.read('baseFeeScalar', [])).toBe(0xb0b1b2b3);
    expect(await l1Block.read('blobBaseFeeScalar', [])).toBe(0xc0c1c2c3);
    expect(await l1Block.read('operatorFeeScalar', [])).toBe(0xa0a1a2a3);
    expect(await l1Block.read('operatorFeeConstant', [])).toBe(0x9091929394959697n);
    expect(await l1Block.read('daFootprintGasScalar', [])).toBe(0x8182);
  });
});

describe('setL1BlockValues of Bedrock', () => {
  it('fills its slots and leaves the newer ones', async () => {
    await chain.send({ from: DEPOSITOR, to: l1Block.address, data: concat(['0x3db6be2b', setters[2].data]) });
    const args = [1n, 2n, 3n, hashOf('h'), 4n, hashOf('b'), 5n, 6n] as const;
    await l1Block.refuses(alice, 'setL1BlockValues', args, 'NotDepositor');
    await l1Block.send(DEPOSITOR, 'setL1BlockValues', args);
    expect(await slots(9n)).toEqual([
      word((2n << 64n) | 1n),
      word(3n),
      hashOf('h'),
      `0x${'00'.repeat(16)}b0b1b2b3c0c1c2c30000000000000004`,
      hashOf('b'),
      word(5n),
      word(6n),
      word(blobBaseFee),
      setters[2].slot8,
    ]);
    expect(await l1Block.read('l1FeeOverhead', [])).toBe(5n);
    expect(await l1Block.read('l1FeeScalar', [])).toBe(6n);
  });
});

describe('custom gas token', () => {
  const namedSlot = (name: string) => word(BigInt(keccak256(stringToHex(name))) - 1n);

  it('is ether until one is set', async () => {
    expect(await l1Block.read('gasPayingToken', [])).toEqual([ETHER, 18]);
    expect(await l1Block.read('gasPayingTokenName', [])).toBe('Ether');
    expect(await l1Block.read('gasPayingTokenSymbol', [])).toBe('ETH');
    expect(await l1Block.read('isCustomGasToken', [])).toBe(false);
  });

  it('lies in its named slots', async () => {
    const [name, symbol] = [stringToHex('OpenLedger', { size: 32 }), stringToHex('OPEN', { size: 32 })];
    await l1Block.refuses(alice, 'setGasPayingToken', [alice, 6, name, symbol], 'NotDepositor');
    const receipt = await l1Block.send(DEPOSITOR, 'setGasPayingToken', [alice, 6, name, symbol]);
    expect(l1Block.event(receipt, 'GasPayingTokenSet')).toEqual({ token: alice, decimals: 6, name, symbol });
    expect(await slot(namedSlot('opstack.gaspayingtoken'))).toBe(
      padHex(concat(['0x06', alice]), { size: 32 }).toLowerCase(),
    );
    expect(await slot(namedSlot('opstack.gaspayingtokenname'))).toBe(name);
    expect(await slot(namedSlot('opstack.gaspayingtokensymbol'))).toBe(symbol);
    expect(await l1Block.read('gasPayingToken', [])).toEqual([alice, 6]);
    expect(await l1Block.read('gasPayingTokenName', [])).toBe('OpenLedger');
    expect(await l1Block.read('gasPayingTokenSymbol', [])).toBe('OPEN');
    expect(await l1Block.read('isCustomGasToken', [])).toBe(true);
  });

  it('may have a name of 32 bytes', async () => {
    const long = 'abcdefghijklmnopqrstuvwxyz012345';
    await l1Block.send(DEPOSITOR, 'setGasPayingToken', [alice, 18, toHex(long), toHex('', { size: 32 })]);
    expect(await l1Block.read('gasPayingTokenName', [])).toBe(long);
    expect(await l1Block.read('gasPayingTokenSymbol', [])).toBe('');
  });
});

describe('identity', () => {
  it("has every function of OP's own L1Block, with the same results", () => {
    const require = createRequire(import.meta.url);
    const { abi }: { abi: Abi } = require('@eth-optimism/contracts-bedrock/forge-artifacts/L1Block.sol/L1Block.json');
    const signature = (item: Abi[number]) =>
      item.type === 'function'
        ? `${toFunctionSignature(item)} -> ${item.outputs.map(({ type }) => type)} ${item.stateMutability}`
        : item.type;
    const ours = l1BlockAbi.map(signature);
    for (const item of abi) expect(ours).toContain(signature(item));
    expect(abi.length).toBeGreaterThan(20);
  });

  it('names the depositor and its version', async () => {
    expect(await l1Block.read('DEPOSITOR_ACCOUNT', [])).toBe(DEPOSITOR);
    expect(await l1Block.read('version', [])).toMatch(/^\d+\.\d+\.\d+/);
  });
});
