import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@openledger/kit';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { parquetReadObjects } from 'hyparquet';
import { parseEther } from 'viem';
import { afterAll, describe, expect, it } from 'vitest';
import { startChain } from '../../contracts/test/support/chain.ts';
import { bob, carol, DISPUTE_WINDOW, RESPONSE_WINDOW, ROOT_BOND } from '../../contracts/test/support/system.ts';
import { findProposal, readEpochs } from '../src/epoch/epochs.ts';
import { explainAccount } from '../src/explainAccount.ts';
import { createDistributionServer } from '../src/publish/createDistributionServer.ts';
import { Distributor } from '../src/publish/distributor.ts';
import { writeEpoch } from '../src/publish/epochFiles.ts';
import { openEpoch } from '../src/publish/openEpoch.ts';
import { readChunk, type TraceRecord } from '../src/trace/format.ts';
import { verifyEpoch } from '../src/verifyEpoch.ts';
import { Watcher } from '../src/watch/watcher.ts';
import { accessOf } from './chain/access.ts';
import { forge } from './chain/forge.ts';
import { alice, ella, playHistory } from './chain/history.ts';
import { playChain } from './chain/playChain.ts';

const chain = await startChain();
const played = await playChain(chain);
const history = await playHistory(played);
const log = createLogger({ name: 'test', level: 'silent' as never });
const folder = mkdtempSync(join(tmpdir(), 'openledger-rewards-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const rules = { platform: history.platform };
const [honestAccess, watchAccess] = [
  await accessOf(chain, played, carol, history.platform),
  await accessOf(chain, played, bob, history.platform),
];
const dataDir = join(folder, 'published');
const distributor = new Distributor({ access: honestAccess, dataDir, depth: 0n, log });
/** The proposer's files, or none: then everything has to be asked for. */
let files: string | undefined = dataDir;
const watcher = new Watcher({
  access: watchAccess,
  published: async ({ dataHash }) => {
    const path = files && join(files, dataHash);
    return path && existsSync(path) ? path : undefined;
  },
  log,
});

/** Everything that has been settled since, with one record changed. */
const proposeWrong = async (change: (records: TraceRecord[]) => TraceRecord[]) => {
  const { reader } = honestAccess;
  const epochs = [...(await readEpochs(reader)).values()];
  const fromBlock = epochs.findLast(({ status }) => status === 'final')?.toBlock ?? 0n;
  const toBlock = ((await reader.head())?.number ?? 0n) - 1n;
  const written = await writeEpoch({ reader, chainId: 1, rules, fromBlock, toBlock }, join(folder, 'forger'));
  const opened = openEpoch(written.folder);
  const records: TraceRecord[] = [];
  for (let i = 0; i < Math.ceil(Number(written.epoch.records) / 64); i++) {
    records.push(...readChunk(opened.trace.chunk(i)?.bytes ?? new Uint8Array()).records);
  }
  const forged = forge(written.epoch, change(records));
  const prevRoot = await played.rewards.read('root', []);
  played.take(await played.rewards.send(alice, 'proposeRoot', [{ ...forged.proposal, prevRoot }], ROOT_BOND));
  opened.close();
  return { forged, epoch: await played.rewards.read('currentEpoch', []) };
};

await played.rewards.send(alice, 'fund', [], parseEther('10'));

describe('an honest epoch', () => {
  it('is proposed, found right, and finalized', async () => {
    expect(await distributor.step()).toBe('proposed');
    expect(await watcher.step()).toBe('right');
    expect(await watcher.step()).toBe('nothing');
    expect(await distributor.step()).toBe('waiting');
    await chain.warp(DISPUTE_WINDOW);
    expect(await distributor.step()).toBe('finalized');
    expect(await distributor.step()).toBe('nothing');
  });

  it('verifies, and every wei is explained', async () => {
    const { reader } = honestAccess;
    const { ok, ledger, difference } = await verifyEpoch({ reader, chainId: 1, epoch: 1n, rules });
    expect([ok, difference]).toEqual([true, undefined]);
    for (const { account, cumulative } of ledger.leaves) {
      const found = await explainAccount(reader, account, rules, ledger.toBlock);
      expect(found.reduce((sum, { amount }) => sum + amount, 0n)).toBe(cumulative);
    }
    const [first] = await explainAccount(reader, ella, rules);
    expect(first).toMatchObject({ role: 'contributors', contribution: 5, receipt: { batch: 0, page: 2, output: 0 } });
  }, 30_000);

  it('is published in files that others read', async () => {
    const { dataHash, root } = await findProposal(honestAccess.reader, 1n);
    const path = (name: string) => join(dataDir, dataHash, name);
    const tree = StandardMerkleTree.load(JSON.parse(readFileSync(path('tree.json'), 'utf8')));
    tree.validate();
    expect(tree.root).toBe(root);
    const csv = readFileSync(path('entitlements.csv'), 'utf8').trim().split('\n').slice(1);
    const parquet = readFileSync(path('entitlements.parquet'));
    const rows = await parquetReadObjects({
      file: parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length),
    });
    const values = [...tree.entries()].map(([, value]) => value.join(','));
    expect(csv).toEqual(values);
    expect(rows.map(({ account, token, cumulative }) => [account, token, cumulative].join(','))).toEqual(values);
  });

  it('is served: files, proofs that OpenZeppelin verifies, and what Merkl would answer', async () => {
    const server = createDistributionServer({ dataDir, chainId: 1, claimed: async () => 7n });
    await distributor.step();
    const get = (url: string, headers = {}) => server.inject({ url, headers });
    const list = await get('/epochs');
    expect(list.json()).toMatchObject([{ epoch: 1, status: 'final' }]);
    expect((await get('/epochs', { 'if-none-match': list.headers.etag })).statusCode).toBe(304);
    const { root, records } = (await get('/epochs/1')).json();
    const trace = await get('/epochs/1/trace.bin');
    expect(Number(records)).toBe((trace.rawPayload.length - 48 * Math.ceil(Number(records) / 64)) / 48);
    expect((await get('/epochs/1/trace.bin', { 'if-none-match': trace.headers.etag })).statusCode).toBe(304);
    const claim = (await get(`/epochs/1/proofs/${ella}`)).json();
    const leaf = [ella.toLowerCase(), claim.token, claim.cumulative];
    expect(StandardMerkleTree.verify(root, ['address', 'address', 'uint256'], leaf, claim.proof)).toBe(true);
    const merkl = (await get(`/v4/users/${ella}/rewards?chainId=1`)).json();
    expect(merkl[0].rewards[0]).toMatchObject({
      amount: claim.cumulative,
      claimed: '7',
      pending: '0',
      proofs: claim.proof,
    });
    expect((await get(`/v4/users/${ella}/rewards?chainId=2`)).json()).toEqual([]);
    const statuses = [
      '/epochs/2',
      '/epochs/1/passwd',
      '/epochs/1/..%2f..%2fepochs.json',
      `/epochs/1/proofs/0x${'1'.repeat(40)}`,
      '/epochs/1/proofs/x',
    ];
    expect(await Promise.all(statuses.map(async (url) => (await get(url)).statusCode))).toEqual([
      404, 404, 404, 404, 400,
    ]);
    await server.close();
  });
});

describe('a wrong epoch', () => {
  const change = (records: TraceRecord[]) => {
    const at = records.findLastIndex(({ receipt }) => receipt > 0n);
    return records.map((record, i) => (i === at ? { ...record, amount: record.amount + 1n } : record));
  };
  const settleMore = async (cumulative: bigint) => {
    const channel = { id: 1n, payer: 2 };
    const source = { kind: 2 as const, id: 1n };
    await played.settle([{ channel, cumulative }], [[played.output(source, 1n, 1n, { 3: 1, 5: 2 })]]);
    await chain.client.mine({ blocks: 2 });
  };

  it('is told by account and receipt to who has its files', async () => {
    await settleMore(parseEther('3'));
    const { forged, epoch } = await proposeWrong(change);
    const { reader } = honestAccess;
    const without = await verifyEpoch({ reader, chainId: 1, epoch, rules });
    expect(without.ok).toBe(false);
    expect(without.difference).toMatchObject({ field: 'root', proposed: forged.proposal.root });
    expect(await watcher.step()).toBe('requested');
  });

  it('that shows nothing is rejected in silence', async () => {
    expect(await watcher.step()).toBe('waiting');
    await chain.warp(RESPONSE_WINDOW);
    expect(await watcher.step()).toBe('rejected');
    expect([...(await readEpochs(honestAccess.reader)).values()].map(({ status }) => status)).toEqual([
      'final',
      'rejected',
    ]);
  });

  it('that shows its chunks is challenged where it is wrong', async () => {
    files = undefined;
    const { forged, epoch } = await proposeWrong(change);
    const steps: string[] = [];
    for (let done = await watcher.step(); done !== 'challenged'; done = await watcher.step()) {
      steps.push(done);
      expect(done).toBe('requested');
      const logs = await chain.client.getLogs({ address: played.disputes.address, fromBlock: 'latest' as never });
      const index = BigInt(logs.at(-1)?.topics[3] ?? 0n);
      const chunk = forged.trace.chunk(Number(index));
      if (!chunk) throw new Error(`no chunk ${index}`);
      const bytes = `0x${Buffer.from(chunk.bytes).toString('hex')}` as const;
      await played.disputes.send(alice, 'showChunk', [epoch, 0, index, bytes, chunk.proof]);
      expect(steps.length).toBeLessThan(10);
    }
    const epochs = [...(await readEpochs(honestAccess.reader)).values()];
    expect(epochs.map(({ status }) => status)).toEqual(['final', 'rejected', 'rejected']);
  }, 30_000);

  it('takes nothing away: what it covered is in the next one', async () => {
    files = dataDir;
    expect(await distributor.step()).toBe('proposed');
    expect(await watcher.step()).toBe('right');
    await chain.warp(DISPUTE_WINDOW);
    expect(await distributor.step()).toBe('finalized');
    const [, , bonded] = await played.rewards.read('totals', []);
    expect(bonded).toBe(0n);
    const { total, fromBlock } = await findProposal(honestAccess.reader, 4n);
    expect([total, fromBlock > 0n]).toEqual([
      3_000_000_000_000_200_476n - 2_000_000_000_000_123_457n + parseEther('3'),
      true,
    ]);
  });
});
