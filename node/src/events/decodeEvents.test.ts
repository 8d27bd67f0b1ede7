import { opPredeploys, predeploys } from '@openledger/chain-config';
import * as contracts from '@openledger/contracts';
import {
  attributionLedgerAbi,
  type BatchOutput,
  datanetsAbi,
  decodePage,
  encodePages,
  outputsOf,
  stakingAbi,
} from '@openledger/contracts';
import { type BlockEntry, type ChainEvent, eventSchema } from '@openledger/event-log';
import fc from 'fast-check';
import {
  type Abi,
  type AbiEvent,
  bytesToHex,
  concatHex,
  encodeFunctionData,
  type Hex,
  keccak256,
  numberToHex,
  parseAbi,
  slice,
} from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestChain } from '../../test/support/testChain.ts';
import { ana, governance, lower, OPEN } from '../../test/support/wallets.ts';

const hash = (word: string): Hex => keccak256(`0x${Buffer.from(word).toString('hex')}`);
const output = (id: string, rows: [bigint, bigint][]): BatchOutput => ({
  nonce: 0n,
  modelId: 3n,
  sourceKind: 2,
  sourceId: 7n,
  promptHash: hash(id),
  outputHash: hash('output'),
  promptTokens: 11,
  outputTokens: 22,
  feeWeight: 5n,
  method: 2,
  rows: rows.map(([contributionId, weight]) => ({ contributionId, weight })),
});
const pagesOf = (...outputs: BatchOutput[]): Hex[] =>
  encodePages(outputs, { targetBytes: 1 }).map((page) => bytesToHex(page));
const append = (...pages: Hex[]): Hex =>
  encodeFunctionData({ abi: attributionLedgerAbi, functionName: 'append', args: [pages] });

describe('the event types of a predeploy', () => {
  const kinds: Readonly<Record<string, RegExp>> = {
    number: /^uint(8|16|32)$/,
    uint: /^uint(64|96|128|256)?$/,
    address: /^address$/,
    bytes32: /^bytes32$/,
    string: /^string$/,
    bool: /^bool$/,
  };
  const known = Object.entries(eventSchema).filter(([, { source }]) => source in predeploys);

  it.each(known)('%s is in the ABI, with these arguments', (type, { source, fields }) => {
    const abi = (contracts as unknown as Record<string, Abi>)[`${source}Abi`] as Abi;
    const { inputs } = abi.find((item) => item.type === 'event' && item.name === type) as AbiEvent;
    const types = Object.fromEntries(inputs.map((input) => [input.name, input.type]));
    for (const [name, kind] of Object.entries(fields)) expect(types[name], name).toMatch(kinds[kind] as RegExp);
  });
});

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

  it('are the pages of an attribution batch as they stand, read from the calldata in order', async () => {
    const outputs = [
      output('a', [
        [1n, 10n],
        [2n, 20n],
      ]),
      output('b', []),
    ];
    const events = await appendAndRead(append(...pagesOf(...outputs)));
    expect(events.map(({ type, subIndex, logIndex }) => [type, subIndex, logIndex])).toEqual([
      ['BatchAppended', 0, 0],
      ['PageRecorded', 1, 0],
      ['PageRecorded', 2, 0],
    ]);
    const recorded = events.flatMap((event) => (event.type === 'PageRecorded' ? [event.args] : []));
    expect(recorded.map(({ batchIndex, page }) => [batchIndex, page])).toEqual([
      [0n, 0],
      [0n, 1],
    ]);
    expect(recorded.flatMap(({ data }) => outputsOf(decodePage(data)))).toEqual(outputs);
  });

  it('are a rejection for a page that does not decode, whose reason is the stable code; the others stand', async () => {
    const [good] = pagesOf(output('a', [[1n, 1n]])) as [Hex];
    const events = await appendAndRead(append('0xdeadbeef', good, good.replace(/01$/, '00') as Hex));
    expect(events.slice(1).map(({ type, subIndex, args }) => [type, subIndex, { ...args, data: undefined }])).toEqual([
      ['PageRejected', 1, { batchIndex: 0n, page: 0, reason: 'UNKNOWN_VERSION', data: undefined }],
      ['PageRecorded', 2, { batchIndex: 0n, page: 1, data: undefined }],
      ['PageRejected', 3, { batchIndex: 0n, page: 2, reason: 'ZERO_WEIGHT', data: undefined }],
    ]);
  });

  it('are the pages of a batch that came by deposit, too: the contract takes it for one like any other', async () => {
    const outputs = [output('a', []), output('b', [[3n, 4n]])];
    const data = append(...pagesOf(...outputs));
    const { receipts } = await chain.deposit({ from: runner, to: predeploys.attributionLedger, data, gas: 500_000n });
    expect(receipts).toMatchObject([{ success: true }]);
    const [batch, ...recorded] = await eventsOfHead();
    expect(batch?.type).toBe('BatchAppended');
    const pages = recorded.flatMap((event) => (event.type === 'PageRecorded' ? [event.args.data] : []));
    expect(pages.flatMap((page) => outputsOf(decodePage(page)))).toEqual(outputs);
  });

  it('are what Solidity reads, however the calldata is laid out', async () => {
    const [page] = pagesOf(output('a', [])) as [Hex];
    const word = (value: bigint | number) => numberToHex(BigInt.asUintN(256, BigInt(value)), { size: 32 });
    const selector = slice(append(page), 0, 4);
    const length = word((page.length - 2) / 2);
    const types = async (...parts: Hex[]) =>
      (await appendAndRead(concatHex([selector, ...parts]))).map(({ type }) => type);
    const recorded = ['BatchAppended', 'PageRecorded'];
    expect(await types(word(32), word(1), word(32), length, page)).toEqual(recorded);
    // A gap before the array; two elements that share one page; an element that lies before its array.
    expect(await types(word(64), word(0), word(1), word(32), length, page)).toEqual(recorded);
    expect(await types(word(32), word(2), word(64), word(64), length, page)).toEqual([...recorded, 'PageRecorded']);
    const padded = concatHex([page, `0x${'00'.repeat(32 - (((page.length - 2) / 2) % 32))}`]);
    const ahead = (padded.length - 2) / 2 + 64;
    const backwards = await types(word(ahead), length, padded, word(1), word(-ahead), word(0));
    expect(backwards).toEqual(recorded);
    // Elements before the start of the calldata and at its end are empty, and no pages.
    expect(await types(word(32), word(1), word(-100_000))).toEqual(['BatchAppended', 'PageRejected']);
    expect(await types(word(32), word(1), word(0))).toEqual(['BatchAppended', 'PageRejected']);
  });

  it('are never missing for what the contract has hashed', async () => {
    const [page] = pagesOf(output('a', [])) as [Hex];
    const selector = slice(append(page), 0, 4);
    const word = (value: bigint) => numberToHex(BigInt.asUintN(256, value), { size: 32 });
    const offset = fc.oneof(
      { arbitrary: fc.bigInt({ min: -3n, max: 8n }).map((words) => 32n * words), weight: 6 },
      { arbitrary: fc.bigInt({ min: -200n, max: 400n }), weight: 1 },
      { arbitrary: fc.constantFrom(-(2n ** 255n), 2n ** 255n - 1n, 2n ** 64n, -1n), weight: 1 },
    );
    const layout = fc.record({
      head: fc.constantFrom(32n, 32n, 32n, 64n, 0n),
      count: fc.bigInt({ min: 1n, max: 2n }),
      words: fc.array(fc.oneof(offset, fc.constantFrom(0n, 32n, BigInt((page.length - 2) / 2))), {
        minLength: 2,
        maxLength: 6,
      }),
    });
    let accepted = 0;
    const check = fc.asyncProperty(layout, async ({ head, count, words }) => {
      const data = concatHex([selector, word(head), word(count), ...words.map(word), page]);
      const { receipt } = await chain.execute(ana, { to: predeploys.attributionLedger, data });
      if (!receipt.success) return;
      accepted++;
      const [batch, ...pages] = await eventsOfHead();
      expect(batch?.type).toBe('BatchAppended');
      expect(pages.map(({ args }) => ('reason' in args ? args.reason : ''))).not.toContain('NOT_IN_CALLDATA');
    });
    await fc.assert(check, { numRuns: 80 });
    expect(accepted).toBeGreaterThan(5);
  }, 60_000);

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
