import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auditFindings,
  auditStatuses,
  contracts,
  PaymentChannel,
  payingFetch,
  type SignedReceipt,
} from '@openledger/client';
import { jobsAbi } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import { type Hex, isAddressEqual, parseEventLogs } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Auditor } from '../gpu-runner/src/audit/auditor.ts';
import { rpcAuditSource } from '../gpu-runner/src/audit/auditSource.ts';
import { Transactor } from '../gpu-runner/src/chain/transactor.ts';
import type { Engine, EngineProcess } from '../gpu-runner/src/engine/engineProcess.ts';
import { Attribution } from '../gpu-runner/src/gateway/attribution.ts';
import { EngineGenerator } from '../gpu-runner/src/serving/engineGenerator.ts';
import { ContentStore } from '../gpu-runner/src/store/contentStore.ts';
import { ModelLocator } from '../gpu-runner/src/store/modelLocator.ts';
import { makeTinyBase, startRealEngine } from '../gpu-runner/test/support/realEngine.ts';
import { ana, bo, OPEN, wallet } from '../node/test/support/wallets.ts';
import { ServedChain } from './support/servedChain.ts';

/** Everything is drawn, and little time is given. */
const AUDITS = {
  ...{ inferenceRateBps: 10_000, trainingRateBps: 10_000, faultBps: 5_000, missBps: 100, beaconDelay: 3 },
  ...{ reportSeconds: 200n, voteSeconds: 200n },
};
/** An overdue audit is closed by whoever looks, some seconds later: clocks differ. */
const OVERDUE_SECONDS = 20;
const watchers = ['dee', 'eve', 'fay', 'gus'].map(wallet);
const [payer, runner] = [ana, bo];

/** A chain with the real contracts, one runner that answers with the real engine, and four others that audit it. */
describe('audits, from the answer to the slash', () => {
  let root: string;
  let served: ServedChain;
  let real: EngineProcess;
  /** Changes what the audited runner asks its engine. */
  let cheat: (params: Record<string, unknown>) => Record<string, unknown>;
  let auditors: Auditor[];
  let paying: typeof fetch;
  const receipts: SignedReceipt[] = [];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'openledger-audits-'));
    const base = await makeTinyBase(join(root, 'base'));
    real = await startRealEngine();
    cheat = (params) => params;
    const engine: Engine = {
      request: (method, params, options) =>
        real.request(method, method === 'generate' ? cheat(params) : params, options),
      close: () => real.close(),
    };
    const genesis = { economics: { audits: AUDITS }, rich: watchers };
    served = await ServedChain.start(runner, { channelId: 1n, account: runner }, { engine, base, genesis });
    await served.prepare(1_000n, 2_000n);
    for (const account of watchers) await bond(account);
    auditors = await Promise.all(watchers.map((account) => auditorOf(account, base)));
    await announce(served.url);
    const { logs } = await served.send(payer, {
      ...{ ...contracts.jobs, functionName: 'openChannel', args: [runner.address], value: 10n ** 9n },
    });
    const channelId = parseEventLogs({ abi: jobsAbi, eventName: 'ChannelOpened', logs })[0]?.args.channelId ?? 0n;
    const channel = new PaymentChannel({
      ...{ account: payer, chainId: served.node.viemChain.id, runner: runner.address, channelId, budget: 10n ** 9n },
    });
    paying = payingFetch({ channel, onReceipt: (receipt) => receipts.push(receipt) });
  });
  afterAll(async () => {
    await served?.close();
    await real?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const bond = (account: PrivateKeyAccount) =>
    served.send(account, { ...contracts.staking, functionName: 'bond', value: OPEN });
  const announce = (endpoint: string) =>
    served.send(runner, { ...contracts.staking, functionName: 'announce', args: [endpoint] });
  const bondOf = (account: PrivateKeyAccount) =>
    served.node.client.readContract({ ...contracts.staking, functionName: 'bondOf', args: [account.address] });

  /** Another runner: a store, a transactor and an account of its own. The engine is the same machine's. */
  const auditorOf = async (account: PrivateKeyAccount, base: string): Promise<Auditor> => {
    const folder = join(root, account.address);
    mkdirSync(join(folder, 'files'), { recursive: true });
    const store = new ContentStore(join(folder, 'files'));
    const { view } = served;
    return new Auditor({
      ...{ view, store, account, chainId: served.node.viemChain.id, log: silentLogger, workPrefix: 'audit' },
      models: await ModelLocator.open(join(folder, 'adapters'), [base]),
      verifier: new EngineGenerator(real),
      attribution: new Attribution({ view, store, engine: real, indexDir: join(folder, 'indexes') }),
      trainer: () => Promise.reject(new Error('nothing is trained here')),
      transcripts: { prune: async () => {} },
      transactor: new Transactor(served.client(account)),
      source: rpcAuditSource(served.client(account).public),
      allowPrivate: true,
      now: () => served.now(),
    });
  };

  /** An answer on chain, and its beacon block. Returns the output's id. */
  const answer = async (prompt: string): Promise<Hex> => {
    const body = JSON.stringify({ model: 'base', prompt, max_tokens: 12, temperature: 0.9, seed: 5 });
    const headers = { 'content-type': 'application/json' };
    const response = await paying(`${served.url}/v1/completions`, { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    await served.mining(served.settler.settleOnce());
    await served.step(AUDITS.beaconDelay);
    await served.caughtUp();
    return receipts.at(-1)?.outputId ?? '0x';
  };
  const act = async (who: readonly Auditor[] = auditors) => {
    for (const auditor of who) await served.mining(auditor.step().then(() => auditor.idle()));
  };
  const audit = (outputId: Hex) =>
    served.node.client.readContract({ ...contracts.audits, functionName: 'audit', args: [outputId] });
  const later = async (seconds: number) => {
    await served.step(seconds);
    await served.caughtUp();
  };
  it('an honest answer is computed again and matches; nobody loses anything', async () => {
    const outputId = await answer('The server');
    await act();
    await act();
    expect(await audit(outputId)).toMatchObject({ status: auditStatuses.matched, runner: runner.address });
    expect(await Promise.all([runner, ...watchers].map(bondOf))).toEqual(Array(5).fill(OPEN));
  });

  it('an answer of another seed than the one committed to costs half of the bond', async () => {
    cheat = (params) => ({ ...params, seed: Number(params.seed) + 1 });
    const outputId = await answer('The server');
    cheat = (params) => params;
    for (let round = 0; round < 4; round++) await act();
    expect(await audit(outputId)).toMatchObject({ status: auditStatuses.faulted, finding: auditFindings.differs });
    expect(await Promise.all([runner, ...watchers].map(bondOf))).toEqual([OPEN / 2n, ...Array(4).fill(OPEN)]);
    await bond(runner);
  });

  it('a runner that shows nothing is found at fault, too', async () => {
    const outputId = await answer('A transcript');
    await announce('http://127.0.0.1:1');
    await act();
    await act();
    expect(await audit(outputId)).toMatchObject({ status: auditStatuses.open });
    await later(Number(AUDITS.reportSeconds) / 2);
    await act();
    expect(await audit(outputId)).toMatchObject({
      status: auditStatuses.contested,
      finding: auditFindings.unavailable,
    });
    await later(Number(AUDITS.voteSeconds) / 2 + 1);
    await act();
    expect(await audit(outputId)).toMatchObject({ status: auditStatuses.faulted });
    expect(await bondOf(runner)).toBe(OPEN);
    await announce(served.url);
  });

  it('an auditor that says nothing pays for it, and the jury decides', async () => {
    const before = await bondOf(runner);
    const outputId = await answer('A silent auditor');
    // Anybody may open an audit: here it is the payer.
    const source = rpcAuditSource(served.client(payer).public);
    const batch = [...served.view.audits.batches.values()].at(-1);
    const [drawn] = batch ? await source.drawn(batch) : [];
    if (drawn?.outputId !== outputId) throw new Error('everything is drawn here');
    await served.send(payer, { ...contracts.audits, functionName: 'open', args: await source.opening(drawn) });
    const silent = watchers.findIndex(({ address }) => isAddressEqual(address, drawn.auditor));
    const others = auditors.filter((_, at) => at !== silent);
    await later(Number(AUDITS.reportSeconds) + OVERDUE_SECONDS);
    for (let round = 0; round < 2; round++) await act(others);
    expect(await audit(outputId)).toMatchObject({ status: auditStatuses.dismissed, finding: auditFindings.none });
    expect(await bondOf(watchers[silent] as PrivateKeyAccount)).toBe((OPEN * 99n) / 100n);
    expect(await bondOf(runner)).toBe(before);
  });
});
