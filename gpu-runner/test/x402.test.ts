import {
  BudgetExceededError,
  type ChannelState,
  DishonestRunnerError,
  encodePayment,
  networkOf,
  PaymentChannel,
  type PaymentChannelOptions,
  payingFetch,
  paymentPayload,
  paymentSchemes,
  type SignedReceipt,
  signInferenceCall,
  signVoucher,
  verifyReceipt,
} from '@openledger/client';
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from '@x402/core/schemas';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import type { Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../src/store/contentStore.ts';
import { CHAIN_ID, event, low, payer, runner, stranger, tell } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { generated, NOW, paymentHeader, startWorld, type World } from './support/gateway.ts';

const database = useDatabase();
let world: World;
beforeEach(async () => {
  world = await startWorld(database());
});
afterEach(() => world.close());

const chat = (changes: Record<string, unknown> = {}) => ({
  model: 'poet',
  messages: [{ role: 'user', content: 'Say hello' }],
  max_tokens: 20,
  ...changes,
});
const request = (changes = {}): [string, RequestInit] => [
  `${world.url}/v1/chat/completions`,
  { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(chat(changes)) },
];
/** 9 bytes and 32 tokens of template in, 20 tokens out, at 1 and 2 wei a token; and what the answer really costs. */
const MAX_COST = 81n;
const COST = 50n;

const channelOf = (changes: Partial<PaymentChannelOptions> = {}) =>
  new PaymentChannel({
    account: payer,
    chainId: CHAIN_ID,
    runner: runner.address,
    channelId: 1n,
    budget: 1_000n,
    ...changes,
  });

describe('the 402 answer', () => {
  it('is what x402’s own schemas call one, in both versions', async () => {
    const response = await fetch(...request());
    expect(response.status).toBe(402);
    const header = JSON.parse(atob(response.headers.get('payment-required') ?? ''));
    const version2 = PaymentRequiredV2Schema.parse(header);
    const version1 = PaymentRequiredV1Schema.parse(await response.json());
    expect(version2.accepts.map(({ scheme }) => scheme)).toEqual(['openledger-channel', 'openledger-escrow']);
    expect(version2.accepts[0]).toMatchObject({
      network: 'eip155:16120',
      amount: MAX_COST.toString(),
      payTo: runner.address,
      extra: { open: { args: [runner.address] } },
    });
    expect(version2.resource.url).toBe(`${world.url}/v1/chat/completions`);
    expect(version1.accepts[0]).toMatchObject({ maxAmountRequired: '81', resource: version2.resource.url });
  });

  it('says why, and what the payer has promised so far', async () => {
    const voucher = await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: 10n });
    const response = await world.post('/v1/chat/completions', chat(), paymentHeader(voucher));
    expect(await response.json()).toMatchObject({
      x402Version: 1,
      error: 'the voucher does not cover this call',
      code: 'payment_required',
      accepts: [
        {
          extra: {
            channel: {
              channelId: '1',
              served: '0',
              cumulativeAmount: '10',
              needed: '81',
              signature: voucher.signature,
            },
          },
        },
        {},
      ],
    });
  });
});

describe('x402’s own client', () => {
  it.each([1, 2])('pays by version %i with our scheme registered', async (version) => {
    let signed = 0n;
    const pay = async (amount: string) => {
      signed += BigInt(amount);
      return signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: signed });
    };
    const scheme = {
      scheme: paymentSchemes.channel,
      createPaymentPayload: async (x402Version: number, terms: { amount: string; maxAmountRequired?: string }) => {
        const voucher = await pay(terms.amount ?? terms.maxAmountRequired);
        const payment = { scheme: paymentSchemes.channel, network: networkOf(CHAIN_ID), voucher } as const;
        const named = { scheme: payment.scheme, network: payment.network };
        return { x402Version, payload: paymentPayload(payment), ...(x402Version === 1 ? named : {}) };
      },
    };
    const client = new x402Client((_version, accepts) => accepts[0] as never);
    client.setSpendControls({ allowedAssets: true });
    if (version === 2) client.register(networkOf(CHAIN_ID), scheme as never);
    else client.registerV1(networkOf(CHAIN_ID), scheme as never);
    // A server of version 1 has no such header.
    const only1: typeof fetch = async (...args) => {
      const response = await fetch(...args);
      return new Response(response.body, { status: response.status, headers: withoutHeader(response) });
    };
    const paying = wrapFetchWithPayment(version === 1 ? only1 : fetch, client);
    const response = await paying(...request());
    expect(response.status).toBe(200);
    const settled = decodePaymentResponseHeader(
      response.headers.get(version === 1 ? 'x-payment-response' : 'payment-response') ?? '',
    );
    expect(settled).toMatchObject({ success: true, network: 'eip155:16120', payer: low(payer.address), amount: '50' });
  });
});

const withoutHeader = (response: Response): Headers => {
  const headers = new Headers(response.headers);
  headers.delete('payment-required');
  return headers;
};

describe('payingFetch', () => {
  it('pays what calls cost, with receipts that prove it', async () => {
    const receipts: SignedReceipt[] = [];
    const channel = channelOf();
    const paying = payingFetch({ channel, onReceipt: (receipt) => receipts.push(receipt) });
    for (let i = 0; i < 3; i++) expect((await paying(...request())).status).toBe(200);
    expect(receipts.map(({ nonce, cost, served }) => [nonce, cost, served])).toEqual([
      [0n, COST, COST],
      [1n, COST, 2n * COST],
      [2n, COST, 3n * COST],
    ]);
    for (const receipt of receipts) {
      await verifyReceipt(receipt, { chainId: CHAIN_ID, runner: runner.address, text: 'Hello' });
    }
    expect(channel.state).toEqual({ spent: 3n * COST, signed: 2n * COST + MAX_COST });
    expect(channel.left).toBe(1_000n - 3n * COST);
  });

  it('pays for streams, and reads the receipt at their end', async () => {
    const receipts: SignedReceipt[] = [];
    const channel = channelOf();
    const paying = payingFetch({ channel, onReceipt: (receipt) => receipts.push(receipt) });
    const response = await paying(...request({ stream: true }));
    expect(await response.text()).toContain('[DONE]');
    expect(receipts).toHaveLength(1);
    expect(channel.state.spent).toBe(COST);
  });

  it('pays for calls at the same time, each its own part', async () => {
    const channel = channelOf();
    const paying = payingFetch({ channel });
    const responses = await Promise.all([...Array(8)].map(() => paying(...request())));
    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(channel.state.spent).toBe(8n * COST);
    expect(channel.state.signed).toBeLessThanOrEqual(8n * MAX_COST);
  });

  it('stops at its budget, before it signs', async () => {
    const channel = channelOf({ budget: COST + MAX_COST - 1n });
    const paying = payingFetch({ channel });
    expect((await paying(...request())).status).toBe(200);
    const { state } = channel;
    await expect(paying(...request())).rejects.toBeInstanceOf(BudgetExceededError);
    expect(channel.state).toEqual(state);
  });

  it('goes on from its state, and without one from what the runner shows it has signed', async () => {
    let kept: ChannelState | undefined;
    const first = payingFetch({
      channel: channelOf({
        onChange: (state) => {
          kept = state;
        },
      }),
    });
    await first(...request());
    expect(kept).toEqual({ signed: MAX_COST, spent: COST });
    for (const state of [kept, undefined]) {
      const channel = channelOf(state ? { state } : {});
      expect((await payingFetch({ channel })(...request())).status).toBe(200);
    }
  });

  it('pays nothing for a call that failed', async () => {
    world.engine.script.generate = () => {
      throw new Error('disk');
    };
    const channel = channelOf();
    expect((await payingFetch({ channel })(...request())).status).toBe(500);
    expect(channel.state.spent).toBe(0n);
    expect(channel.left).toBe(1_000n);
  });

  it('hands other answers through, and a 402 that it can not pay', async () => {
    const paying = payingFetch({ channel: channelOf({ runner: stranger.address }) });
    expect((await paying(`${world.url}/v1/models`)).status).toBe(200);
    expect((await paying(...request())).status).toBe(402);
  });

  describe('finds out a runner that', () => {
    type Answer = { openledger: Record<string, string>; choices: { message: { content: string } }[] };
    /** The runner's answers, changed on their way. */
    const forge =
      ({ text, ...changes }: Record<string, string>): typeof fetch =>
      async (...args) => {
        const response = await fetch(...args);
        if (!response.ok) return response;
        const answer = (await response.json()) as Answer;
        Object.assign(answer.openledger, changes);
        if (text !== undefined) answer.choices = [{ message: { content: text } }];
        return new Response(JSON.stringify(answer), response);
      };
    it.each([
      ['changes the text', { text: 'Bye' }],
      ['charges more than it signed for', { cost_wei: '81' }],
      ['signs another output', { nonce: '7' }],
      ['signs nothing', { signature: '0x' }],
      ['names another source', { source_id: '9' }],
    ])('%s', async (_name, change) => {
      const paying = payingFetch({ channel: channelOf(), fetch: forge(change) });
      await expect(paying(...request())).rejects.toBeInstanceOf(DishonestRunnerError);
    });

    it.each(['no JSON', '{}', 'null'])('gives no receipt with its answer: %s', async (body) => {
      const without: typeof fetch = async (...args) => {
        const response = await fetch(...args);
        return response.ok ? new Response(body, response) : response;
      };
      const channel = channelOf();
      await expect(payingFetch({ channel, fetch: without })(...request())).rejects.toBeInstanceOf(DishonestRunnerError);
      expect(channel.left).toBe(1_000n);
    });

    it('claims what was never signed', async () => {
      const channel = channelOf();
      const forged = await signVoucher(stranger, CHAIN_ID, { channelId: 1n, cumulativeAmount: 500n });
      await expect(channel.resume({ ...forged, served: 400n })).rejects.toBeInstanceOf(DishonestRunnerError);
      const own = await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: 500n });
      await expect(channel.resume({ ...own, served: 501n })).rejects.toBeInstanceOf(DishonestRunnerError);
    });

    it('takes vouchers and serves nothing: one step is lost, no more', async () => {
      const channel = channelOf({ state: { signed: 0n, spent: 0n } });
      const { voucher, settle } = await channel.authorize(MAX_COST);
      await settle();
      await expect(channel.resume({ ...voucher, served: MAX_COST })).rejects.toBeInstanceOf(DishonestRunnerError);
      expect(channel.state.signed).toBe(MAX_COST);
    });
  });
});

describe('a call that was paid into escrow', () => {
  const body = JSON.stringify(chat());
  const requestHash: Hex = `0x${sha256Of(Buffer.from(body))}`;
  const post = async (text: string) => {
    const signature = await signInferenceCall(payer, CHAIN_ID, { jobId: 4n, requestHash });
    const payment = { scheme: paymentSchemes.escrow, network: networkOf(CHAIN_ID), jobId: 4n, signature } as const;
    return world.post('/v1/chat/completions', text, { 'x-payment': encodePayment(payment) });
  };
  beforeEach(() =>
    tell(
      world.view,
      event('InferenceRequested', {
        jobId: 4n,
        payer: low(payer.address),
        runner: low(runner.address),
        modelId: 2n,
        escrow: MAX_COST,
        requestHash,
        maxTokens: 20,
        deadline: BigInt(NOW / 1000) + 600n,
      }),
    ),
  );

  it('is answered once, for exactly this body', async () => {
    expect((await post(`${body} `)).status).toBe(402);
    const response = await post(body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      openledger: { source_kind: 3, source_id: '4', cost_wei: '50', output_sha256: `0x${generated.output_sha256}` },
    });
    expect((await post(body)).status).toBe(402);
  });
});
