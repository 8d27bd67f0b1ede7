import { hexToBytes } from 'viem';
import { describe, expect, it } from 'vitest';
import { startChain } from '../../contracts/test/support/chain.ts';
import { computeEpoch } from '../src/epoch/computeEpoch.ts';
import { SETTLEMENT_PAGE } from '../src/ledger/creditSink.ts';
import { placeOf, readChunk, receiptOf, type TraceRecord } from '../src/trace/format.ts';
import { alice, bob, ella, playHistory } from './chain/history.ts';
import { evidenceFor } from './chain/openBatch.ts';
import { playChain } from './chain/playChain.ts';

const chain = await startChain();
const played = await playChain(chain);
const history = await playHistory(played);
const reader = await played.reader();
const toBlock = (await reader.head())?.number ?? 0n;
const records: TraceRecord[] = [];
const epoch = await computeEpoch(
  { reader, chainId: 1, fromBlock: 0n, toBlock, rules: { platform: history.platform } },
  (chunk) => {
    records.push(...readChunk(chunk).records);
  },
);

/** What the contract computes for an account and receipt, with the scans that it wants first. */
const due = async (account: `0x${string}`, receipt: bigint): Promise<bigint> => {
  const { evidence, scans } = await evidenceFor(played, history.platform, placeOf(receipt));
  for (const scan of scans) {
    const { next } = await played.recompute.read('scanned', [
      scan.batch.batchIndex,
      scan.sourceKind,
      scan.sourceId,
      scan.target,
    ]);
    if (Number(next) === scan.pages.length) continue;
    await played.recompute.send(bob, 'scan', [
      scan.batch,
      scan.sourceKind,
      scan.sourceId,
      scan.target,
      scan.pages.slice(Number(next)),
    ]);
  }
  const data = played.recompute.data('due', [account, receipt, evidence]);
  return BigInt(await chain.call({ from: bob, to: played.recompute.address, data }));
};

describe('the contract and the fold', () => {
  it('agree on every record of a history that has everything', async () => {
    expect(records.length).toBeGreaterThan(40);
    expect(records.some(({ receipt }) => placeOf(receipt).page === SETTLEMENT_PAGE)).toBe(true);
    for (const { account, receipt, amount } of records) expect(await due(account, receipt)).toBe(amount);
  }, 120_000);

  it('agree on who gets nothing of a receipt', async () => {
    const paid = new Set(records.map(({ account, receipt }) => `${account} ${receipt}`));
    const receipts = [...new Set(records.map(({ receipt }) => receipt))];
    const accounts = [...new Set(records.map(({ account }) => account)), alice.toLowerCase() as `0x${string}`];
    let checked = 0;
    for (const [row, receipt] of receipts.entries()) {
      // Every fourth account, others for each receipt: all of them take minutes.
      for (const account of accounts.filter((_, column) => (row + column) % 4 === 0)) {
        if (paid.has(`${account} ${receipt}`)) continue;
        expect(await due(account, receipt)).toBe(0n);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(20);
  }, 120_000);

  it('agree that there is nothing where there is no output, page or settlement', async () => {
    for (const place of [
      { batch: 0, page: 0, output: 9 },
      { batch: 0, page: 0, output: 3 },
      { batch: 0, page: 1, output: 0 },
      { batch: 0, page: 7, output: 0 },
      { batch: 0, page: SETTLEMENT_PAGE, output: 0 },
      { batch: 0, page: SETTLEMENT_PAGE, output: 5 },
      { batch: 2, page: SETTLEMENT_PAGE, output: 1 },
    ]) {
      expect(await due(ella, receiptOf(place))).toBe(0n);
    }
  }, 60_000);

  it('pay out exactly what was settled', async () => {
    const [funded] = await played.rewards.read('totals', []);
    expect(epoch.total).toBe(funded);
    expect(epoch.leaves.reduce((sum, { cumulative }) => sum + cumulative, 0n)).toBe(funded);
    expect(hexToBytes(epoch.root).length).toBe(32);
  });
});
