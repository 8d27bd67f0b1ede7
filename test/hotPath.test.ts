import {
  contracts,
  encodePayment,
  networkOf,
  PaymentChannel,
  payingFetch,
  paymentSchemes,
  type SignedReceipt,
  signInferenceCall,
} from '@openledger/client';
import { jobsAbi } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import { parseEventLogs } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Settler } from '../gpu-runner/src/gateway/settler.ts';
import { sha256Of } from '../gpu-runner/src/store/contentStore.ts';
import { goodEngine } from '../gpu-runner/test/support/gateway.ts';
import { ScriptedEngine } from '../gpu-runner/test/support/scriptedEngine.ts';
import { ana, bo } from '../node/test/support/wallets.ts';
import { ServedChain } from './support/servedChain.ts';

const DEPOSIT = 10_000n;
/** 10 tokens in at 1 wei and 20 out at 2. */
const COST = 50n;
const [payer, runner] = [ana, bo];

/** One chain with the real contracts, one runner; the history goes on from test to test. */
describe('paid inference, from the 402 to the chain', () => {
  let served: ServedChain;
  let modelId: bigint;
  const engine = new ScriptedEngine(goodEngine());
  const chat = JSON.stringify({ model: 'base', messages: [{ role: 'user', content: 'Say hello' }], max_tokens: 20 });
  const request = (): [string, RequestInit] => [
    `${served.url}/v1/chat/completions`,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: chat },
  ];
  const open = async (account: typeof payer, value = DEPOSIT): Promise<bigint> => {
    const call = { ...contracts.jobs, functionName: 'openChannel', args: [runner.address], value };
    const { logs } = await served.send(account, call);
    return parseEventLogs({ abi: jobsAbi, eventName: 'ChannelOpened', logs })[0]?.args.channelId ?? 0n;
  };
  const channelOf = (channelId: bigint) =>
    new PaymentChannel({
      account: payer,
      chainId: served.node.viemChain.id,
      runner: runner.address,
      channelId,
      budget: DEPOSIT,
    });
  const onChain = (channelId: bigint) =>
    served.node.client.readContract({ ...contracts.jobs, functionName: 'channel', args: [channelId] });
  const rewards = () => served.node.client.getBalance({ address: contracts.rewards.address });
  const settle = () => served.mining(served.settler.settleOnce());

  beforeAll(async () => {
    // The first channel there is will be the operator's.
    served = await ServedChain.start(runner, { channelId: 1n, account: runner }, { engine });
    modelId = await served.prepare(1_000n, 2_000n);
    expect(await open(runner)).toBe(1n);
  });
  afterAll(() => served?.close());

  it('takes from a channel exactly what the receipts say, however much was signed', async () => {
    const channelId = await open(payer);
    const channel = channelOf(channelId);
    const receipts: SignedReceipt[] = [];
    const paying = payingFetch({ channel, onReceipt: (receipt) => receipts.push(receipt) });
    const before = await rewards();
    const answers = await Promise.all(Array.from({ length: 6 }, () => paying(...request())));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await settle()).toBe(6);
    const due = receipts.reduce((sum, { cost }) => sum + cost, 0n);
    expect(due).toBe(6n * COST);
    expect(channel.state.signed).toBeGreaterThan(due);
    expect(await onChain(channelId)).toMatchObject({ settled: due, deposit: DEPOSIT });
    expect((await rewards()) - before).toBe(due);
    expect(new Set(receipts.map(({ outputId }) => outputId)).size).toBe(6);
    for (const { outputId } of receipts) expect(served.recorded).toContain(outputId);
    await paying(...request());
    expect(await settle()).toBe(1);
    expect((await onChain(channelId)).settled).toBe(7n * COST);
  });

  it('pays the contributors of keyed calls from the operator’s channel', async () => {
    const { key } = await served.keys.add({ name: 'app', requestsPerMinute: 10, tokensPerDay: 1_000 });
    const [url, init] = request();
    const response = await fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });
    expect(response.status).toBe(200);
    expect(await settle()).toBe(1);
    expect(await onChain(1n)).toMatchObject({ payer: runner.address, settled: COST });
  });

  it('answers a job in escrow once, and gives back what it did not cost', async () => {
    const requestHash = `0x${sha256Of(Buffer.from(chat))}` as const;
    const args = [modelId, runner.address, requestHash, 20, 600n];
    const call = { ...contracts.jobs, functionName: 'requestInference', args, value: 500n };
    const { logs } = await served.send(payer, call);
    const jobId = parseEventLogs({ abi: jobsAbi, eventName: 'InferenceRequested', logs })[0]?.args.jobId ?? 0n;
    const chainId = served.node.viemChain.id;
    const signature = await signInferenceCall(payer, chainId, { jobId, requestHash });
    const payment = encodePayment({ scheme: paymentSchemes.escrow, network: networkOf(chainId), jobId, signature });
    const [url, init] = request();
    const post = () => fetch(url, { ...init, headers: { ...init.headers, 'x-payment': payment } });
    const answer = await post();
    expect([answer.status, (await post()).status]).toEqual([200, 402]);
    const { openledger } = (await answer.json()) as { openledger: { output_id: `0x${string}` } };
    const before = await served.node.client.getBalance({ address: payer.address });
    expect(await settle()).toBe(1);
    expect(await served.node.client.getBalance({ address: payer.address })).toBe(before + 500n - COST);
    const job = await served.node.client.readContract({
      ...contracts.jobs,
      functionName: 'inferenceJob',
      args: [jobId],
    });
    expect(job.status).toBe(2);
    expect(served.recorded).toContain(openledger.output_id);
  });

  it('settles what was still running when the payer asked to close, before it may close', async () => {
    const channelId = await open(payer);
    const channel = channelOf(channelId);
    const paying = payingFetch({ channel });
    let finish = () => {};
    const generate = engine.script.generate;
    const running = new Promise<void>((begun) => {
      engine.script.generate = (...given) => {
        begun();
        return new Promise((resolve) => {
          finish = () => resolve(generate?.(...given));
        });
      };
    });
    const call = paying(...request());
    await running;
    await served.send(payer, { ...contracts.jobs, functionName: 'requestClose', args: [channelId] });
    expect((await payingFetch({ channel: channelOf(channelId) })(...request())).status).toBe(402);
    finish();
    if (generate) engine.script.generate = generate;
    expect((await call).status).toBe(200);
    expect(await settle()).toBe(1);
    await served.step(31);
    const before = await rewards();
    await served.send(payer, { ...contracts.jobs, functionName: 'closeChannel', args: [channelId] });
    expect(await onChain(channelId)).toMatchObject({ settled: COST, closed: true });
    expect(await rewards()).toBe(before);
  });

  it('sends a settlement once, although its process ended before it knew', async () => {
    const channelId = await open(payer);
    await payingFetch({ channel: channelOf(channelId) })(...request());
    const { transactor } = served;
    const broadcast = transactor.broadcast.bind(transactor);
    // The bytes are signed and written down, and then the process is gone.
    transactor.broadcast = () => new Promise(() => {});
    void served.settler.settleOnce();
    const signed = async () =>
      (await served.database.query("SELECT 1 FROM runner.settlements WHERE sent_at > now() - interval '1 minute'"))
        .rows;
    const count = (await signed()).length;
    while ((await signed()).length === count) await new Promise((resolve) => setTimeout(resolve, 10));
    transactor.broadcast = broadcast;
    const next = new Settler({ database: served.database, view: served.view, transactor, log: silentLogger });
    const total = async () =>
      served.node.client.readContract({ ...contracts.attributionLedger, functionName: 'batchCount' });
    const batches = await total();
    expect(await served.mining(next.settleOnce())).toBe(0);
    expect(await served.mining(next.settleOnce())).toBe(0);
    expect([(await total()) - batches, (await onChain(channelId)).settled]).toEqual([1n, COST]);
  });
});
