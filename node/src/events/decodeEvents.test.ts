import { opPredeploys, predeploys } from '@openledger/chain-config';
import { attributionLedgerAbi, type BatchOutput, datanetsAbi, encodeBatch, stakingAbi } from '@openledger/contracts';
import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import { concatHex, encodeFunctionData, type Hex, keccak256, numberToHex, parseAbi, slice } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestChain } from '../../test/support/testChain.ts';
import { ana, governance, lower, OPEN } from '../../test/support/wallets.ts';

const hash = (word: string): Hex => keccak256(`0x${Buffer.from(word).toString('hex')}`);
const output = (id: string, rows: [bigint, bigint][]): BatchOutput => ({
  outputId: hash(id),
  modelId: 3n,
  sourceKind: 2,
  sourceId: 7n,
  promptHash: hash('prompt'),
  outputHash: hash('output'),
  promptTokens: 11,
  outputTokens: 22,
  feeWeight: 5n,
  method: 2,
  rows: rows.map(([contributionId, weight]) => ({ contributionId, weight })),
});
const append = (batch: Hex, count: number): Hex =>
  encodeFunctionData({ abi: attributionLedgerAbi, functionName: 'append', args: [0, count, batch] });

describe('events of blocks', () => {
  let chain: TestChain;
  beforeEach(async () => {
    chain = await TestChain.start();
    const data = encodeFunctionData({ abi: stakingAbi, functionName: 'bond' });
    const { receipt } = await chain.execute(ana, { to: predeploys.staking, value: OPEN, data });
    expect(receipt.success).toBe(true);
  });
  const eventsOfHead = async (): Promise<readonly ChainEvent[]> =>
    ((await chain.engine.eventLog.entryOf(chain.engine.heads.unsafe.hash)) as BlockEntry).events;
  const appendAndRead = async (data: Hex): Promise<readonly ChainEvent[]> => {
    const { receipt } = await chain.execute(ana, { to: predeploys.attributionLedger, data });
    expect(receipt.success).toBe(true);
    return eventsOfHead();
  };
  const runner = lower(ana.address);

  it('are the logs of our predeploys, with addresses in lowercase', async () => {
    expect(await eventsOfHead()).toEqual([
      { type: 'BondChanged', txIndex: 1, logIndex: 0, subIndex: 0, args: { runner, bond: OPEN } },
    ]);
    const abi = datanetsAbi;
    const data = encodeFunctionData({ abi, functionName: 'createDatanet', args: ['Wörter', 0, 'about words'] });
    await chain.execute(ana, { to: predeploys.datanets, data });
    expect(await eventsOfHead()).toMatchObject([
      { type: 'DatanetCreated', args: { owner: runner, name: 'Wörter', description: 'about words' } },
    ]);
  });

  it('are the rows of an attribution batch, read from the calldata in order', async () => {
    const batch = encodeBatch([
      output('a', [
        [1n, 10n],
        [2n, 20n],
      ]),
      output('b', []),
    ]);
    const events = await appendAndRead(append(batch, 2));
    expect(events.map(({ type, subIndex, logIndex }) => [type, subIndex, logIndex])).toEqual([
      ['BatchAppended', 0, 0],
      ['OutputRecorded', 1, 0],
      ['AttributionRecorded', 2, 0],
      ['AttributionRecorded', 3, 0],
      ['OutputRecorded', 4, 0],
    ]);
    expect(events[1]?.args).toMatchObject({
      batchIndex: 0n,
      outputId: hash('a'),
      modelId: 3n,
      sourceKind: 2,
      feeWeight: 5n,
    });
    expect(events[3]?.args).toEqual({ batchIndex: 0n, outputId: hash('a'), contributionId: 2n, weight: 20n });
  });

  it.each([
    ['malformed bytes', append('0xdeadbeef', 1), 'NOT_RLP'],
    ['another count', append(encodeBatch([output('a', [])]), 2), 'COUNT_MISMATCH'],
    ['no weight', append(encodeBatch([output('a', [[1n, 1n]])]).replace(/0101$/, '0180') as Hex, 1), 'ZERO_WEIGHT'],
  ])('are one rejection for a batch with %s, whose reason is the stable code', async (_what, data, reason) => {
    expect((await appendAndRead(data)).slice(1)).toEqual([
      { type: 'BatchRejected', txIndex: 1, logIndex: 0, subIndex: 1, args: { batchIndex: 0n, runner, reason } },
    ]);
  });

  it('are one rejection for a batch that came by deposit, where no reader looks for it', async () => {
    const data = append(encodeBatch([output('a', [])]), 1);
    const { receipts } = await chain.deposit({ from: runner, to: predeploys.attributionLedger, data, gas: 500_000n });
    expect(receipts).toMatchObject([{ success: true }]);
    expect((await eventsOfHead()).map(({ type }) => type)).toEqual(['BatchAppended', 'BatchRejected']);
    expect((await eventsOfHead())[1]?.args).toMatchObject({ reason: 'NOT_IN_CALLDATA' });
  });

  it('survive calldata that Solidity reads and others may not', async () => {
    const batch = encodeBatch([output('a', [])]);
    const words = [numberToHex(0, { size: 32 }), numberToHex(1, { size: 32 })];
    const length = numberToHex((batch.length - 2) / 2, { size: 32 });
    const selector = slice(append(batch, 1), 0, 4);
    const unpadded = concatHex([selector, ...words, numberToHex(96, { size: 32 }), length, batch]);
    expect((await appendAndRead(unpadded)).map(({ type }) => type)).toEqual(['BatchAppended', 'OutputRecorded']);
    // The offset points behind a gap; and version and count words double as the data that is pointed to.
    const gap = concatHex([selector, ...words, numberToHex(160, { size: 32 }), ...words, length, batch]);
    expect((await appendAndRead(gap)).map(({ type }) => type)).toEqual(['BatchAppended', 'OutputRecorded']);
    const backwards = concatHex([selector, ...words, numberToHex(32, { size: 32 }), batch]);
    expect((await appendAndRead(backwards)).map(({ type }) => type)).toEqual(['BatchAppended', 'BatchRejected']);
  });

  it('leave out administration: an upgraded proxy does not stop the chain', async () => {
    const abi = parseAbi(['function upgrade(address proxy, address implementation)']);
    const implementation = '0xc0D3C0d3C0d3C0D3c0d3C0d3c0D3C0d3c0d34f01'.toLowerCase() as Hex;
    const data = encodeFunctionData({ abi, functionName: 'upgrade', args: [predeploys.datanets, implementation] });
    const { receipt } = await chain.execute(governance, { to: opPredeploys.proxyAdmin, data });
    expect(receipt.success).toBe(true);
    expect(receipt.logs.map(({ address }) => address)).toContain(predeploys.datanets);
    expect(await eventsOfHead()).toEqual([]);
  });
});
