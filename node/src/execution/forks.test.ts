import { allForksAtGenesis, type Fork, parseUpgradeBundle } from '@openledger/chain-config';
import { concatHex, keccak256, numberToHex, stringToHex } from 'viem';
import { expect, it } from 'vitest';
import { ScriptedL1 } from '../../test/support/scriptedL1.ts';
import { TestChain } from '../../test/support/testChain.ts';
import { makeGenesis } from '../../test/support/testGenesis.ts';
import { ana, bo } from '../../test/support/wallets.ts';
import type { Block } from '../primitives/block.ts';
import { decodeHeader, EMPTY_TRIE_ROOT, encodeHeader, hashHeader } from '../primitives/header.ts';

const START = 1_700_000_000n;
/** Two blocks apart: the one in which a fork begins, and one after it. Karst after genesis needs its bundle. */
const order: Fork[] = ['regolith', 'canyon', 'delta', 'ecotone', 'fjord', 'granite', 'holocene', 'isthmus', 'jovian'];
const schedule = Object.fromEntries(order.map((fork, index) => [fork, START + 2n + BigInt(index) * 2n]));

/** A chain that lives through all forks, with a transaction in every block that takes one. */
const liveThroughForks = async (): Promise<Map<Fork | 'bedrock', Block[]>> => {
  const l1 = new ScriptedL1();
  // Before Ecotone the scalar is one number.
  const genesis = await makeGenesis(l1.genesis, { scalar: 684_000n, overhead: 188n });
  const chain = await TestChain.start({
    l1,
    genesis: { ...genesis, config: { ...genesis.config, forks: { bedrock: 0n, ...schedule } } },
  });
  const blocks = new Map<Fork | 'bedrock', Block[]>();
  let nonce = 0;
  for (const fork of ['bedrock', ...order] as const) {
    const count = fork === 'bedrock' ? 1 : 2;
    for (let i = 0; i < count; i++) {
      if (i === count - 1) await chain.send(ana, { nonce: nonce++, to: bo.address, value: 1n });
      blocks.set(fork, [...(blocks.get(fork) ?? []), await chain.step()]);
    }
  }
  return blocks;
};

it('a chain lives through all forks, each with its header, attributes, receipts and fees', async () => {
  const blocks = await liveThroughForks();
  const last = (fork: Fork | 'bedrock') => blocks.get(fork)?.at(-1) as Block;
  const attributesOf = (block: Block | undefined) => {
    const first = block?.transactions[0];
    return first?.kind === 'deposit' ? first.deposit.data.slice(0, 10) : undefined;
  };
  for (const block of [...blocks.values()].flat()) {
    expect(hashHeader(block.header)).toBe(block.hash);
    expect(decodeHeader(encodeHeader(block.header))).toEqual(block.header);
  }
  const fields = (fork: Fork | 'bedrock') => {
    const { withdrawalsRoot, blobGasUsed, parentBeaconBlockRoot, requestsHash } = last(fork).header;
    return [withdrawalsRoot, blobGasUsed, parentBeaconBlockRoot, requestsHash].filter((f) => f !== undefined).length;
  };
  expect(
    ['bedrock', 'regolith', 'canyon', 'ecotone', 'holocene', 'isthmus', 'jovian'].map((f) => fields(f as Fork)),
  ).toEqual([0, 0, 1, 3, 3, 4, 4]);
  expect(last('canyon').header.withdrawalsRoot).toBe(EMPTY_TRIE_ROOT);
  expect(
    ['bedrock', 'granite', 'holocene', 'isthmus', 'jovian'].map((f) => last(f as Fork).header.extraData.length),
  ).toEqual([2, 2, 20, 20, 36]);

  // A fork's first block still has the attributes of the one before, and carries nothing but deposits.
  const bedrock = '0x015d8eb9';
  const ecotone = '0x440a5e20';
  expect(blocks.get('ecotone')?.map(attributesOf)).toEqual([bedrock, ecotone]);
  expect(blocks.get('isthmus')?.map(attributesOf)).toEqual([ecotone, '0x098999be']);
  expect(blocks.get('jovian')?.map(attributesOf)).toEqual(['0x098999be', '0x3db6be2b']);
  expect(['ecotone', 'fjord', 'isthmus', 'jovian'].map((f) => blocks.get(f as Fork)?.[0]?.transactions.length)).toEqual(
    [7, 4, 9, 6],
  );

  const deposit = (fork: Fork | 'bedrock') => last(fork).receipts[0];
  expect(deposit('bedrock')).toMatchObject({ gasUsed: 0n, depositNonce: null, depositReceiptVersion: null });
  expect(deposit('regolith')).toMatchObject({ depositReceiptVersion: null, depositNonce: expect.any(BigInt) });
  expect(deposit('canyon')).toMatchObject({ depositReceiptVersion: 1 });

  const fees = (fork: Fork | 'bedrock') => last(fork).receipts.at(-1)?.fees;
  expect(fees('regolith')).toMatchObject({ l1FeeScalar: expect.any(BigInt), l1BaseFeeScalar: null });
  expect(fees('ecotone')).toMatchObject({ l1FeeScalar: null, l1BaseFeeScalar: 684_000, operatorFeeScalar: null });
  expect(fees('isthmus')).toMatchObject({ operatorFeeScalar: 0, daFootprintGasScalar: null });
  expect(fees('jovian')).toMatchObject({ daFootprintGasScalar: 400 });
  expect(last('isthmus').header.blobGasUsed).toBe(0n);
  expect(last('jovian').header.blobGasUsed).toBe(fees('jovian')?.daFootprint);
});

it('Karst after genesis runs its bundle in its first block, with gas for it beyond the limit', async () => {
  const l1 = new ScriptedL1();
  const genesis = await makeGenesis(l1.genesis);
  const karstBundle = parseUpgradeBundle(
    JSON.stringify({
      transactions: [
        { intent: 'Deploy something', from: `0x${'11'.repeat(20)}`, to: null, gasLimit: 90_000_000, data: '0x00' },
        { intent: 'Call something', from: `0x${'00'.repeat(20)}`, to: bo.address, gasLimit: 50_000, data: '0x' },
      ],
    }),
  );
  const config = { ...genesis.config, forks: { ...allForksAtGenesis, karst: START + 2n } };
  const chain = await TestChain.start({ l1, genesis: { ...genesis, config: { ...config, karstBundle } } });
  await chain.send(ana, { nonce: 0, to: bo.address });
  const blocks = await chain.steps(3);
  expect(blocks.map(({ header }) => header.gasLimit)).toEqual([60_000_000n, 150_050_000n, 60_000_000n]);
  expect(blocks.map(({ transactions }) => transactions.length)).toEqual([2, 3, 1]);
  const upgrades = blocks[1]?.transactions.slice(1) ?? [];
  const sourceHash = (intent: string) =>
    keccak256(concatHex([numberToHex(2, { size: 32 }), keccak256(stringToHex(intent))]));
  expect(upgrades.map((tx) => tx.kind === 'deposit' && tx.deposit.sourceHash)).toEqual([
    sourceHash('Karst 0: Deploy something'),
    sourceHash('Karst 1: Call something'),
  ]);
  expect(blocks[1]?.receipts.map(({ success }) => success)).toEqual([true, true, true]);
  const without = await TestChain.start({ l1: new ScriptedL1(), genesis: { ...genesis, config } });
  await without.step();
  await expect(without.step()).rejects.toEqual(expect.objectContaining({ code: 'UPGRADE_UNKNOWN' }));
});
