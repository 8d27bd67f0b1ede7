import {
  networkOf,
  type Payment,
  paymentSchemes,
  signInferenceCall,
  signVoucher,
  type Voucher,
} from '@openledger/client';
import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Model, RunnerView } from '../src/chain/runnerView.ts';
import { Payments } from '../src/gateway/payments.ts';
import { priceOf } from '../src/gateway/priceOf.ts';
import type { RunnerDatabase } from '../src/queue/database.ts';
import {
  CHAIN_ID,
  channelOpened,
  event,
  hashOf,
  low,
  payer,
  runner,
  stranger,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { keepOutput, outputRecord } from './support/outputs.ts';

const database = useDatabase();
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const NOW = 1_800_000_000_000;
const HASH = hashOf('body');

const asPayment = (voucher: Voucher, chainId = CHAIN_ID): Payment => ({
  scheme: paymentSchemes.channel,
  network: networkOf(chainId),
  voucher,
});
const pay = async (cumulativeAmount: bigint, channelId = 1n, account = payer, chainId = CHAIN_ID) =>
  asPayment(await signVoucher(account, chainId, { channelId, cumulativeAmount }));

const output = (name: string, cost: bigint, nonce: bigint) =>
  outputRecord(name, { cost: cost.toString(), nonce: nonce.toString() });

describe('priceOf', () => {
  const model = (inputPrice: bigint, outputPrice: bigint) => ({ inputPrice, outputPrice }) as Model;

  it.each([
    [0n, 0n, 4096, 4096, 0n],
    [1n, 0n, 1, 0, 1n],
    [1n, 1n, 1, 1, 2n],
    [1n, 0n, 1000, 0, 1n],
    [1n, 0n, 1001, 0, 2n],
    [1000n, 2000n, 3, 5, 13n],
    [10n ** 30n, 1n, 7, 0, 7n * 10n ** 27n],
  ])('at %i and %i wei per 1,000, %i and %i tokens cost %i', (input, output, promptTokens, outputTokens, wei) => {
    expect(priceOf(model(input, output), promptTokens, outputTokens)).toBe(wei);
  });
});

describe('Payments', () => {
  let view: RunnerView;
  let payments: Payments;
  const open = (db: RunnerDatabase = database()) =>
    new Payments({ database: db, view, runner: runner.address, chainId: CHAIN_ID, now: () => NOW });
  beforeEach(() => {
    view = viewOf(
      channelOpened(1n, 1_000n),
      channelOpened(2n, 1_000n, { runner: stranger.address }),
      channelOpened(3n, 1_000n),
      event('ChannelCloseRequested', { channelId: 3n, closableAt: 5n }),
      channelOpened(4n, 1_000n),
      event('ChannelClosed', { channelId: 4n, payer: low(payer.address), refund: 0n }),
    );
    payments = open();
  });

  /** A call that was served: reserved, saved, released. */
  const serve = async (payment: Payment, maxCost: bigint, cost: bigint, name: string) => {
    const hold = await payments.reserve(payment, maxCost, HASH);
    await keepOutput(database(), output(name, cost, hold.takeNonce()));
    hold.release(cost);
  };

  it('wants a voucher', async () => {
    await expect(payments.reserve(undefined, 5n, HASH)).rejects.toMatchObject({
      code: 'PAYMENT_REQUIRED',
      meta: { maxCost: 5n },
    });
  });

  it.each([
    ['signed by another account', () => pay(500n, 1n, stranger)],
    ['for another chain', () => pay(500n, 1n, payer, 1)],
    ['signed for another chain', async () => ({ ...(await pay(500n, 1n, payer, 1)), network: networkOf(CHAIN_ID) })],
    ['of an unknown channel', () => pay(500n, 9n)],
    ['of a channel to another runner', () => pay(500n, 2n)],
    ['of a closing channel', () => pay(500n, 3n)],
    ['of a closed channel', () => pay(500n, 4n)],
    ['over the deposit', () => pay(1_001n)],
  ])('refuses a voucher that is %s, and forgets it', async (_name, header) => {
    await expect(payments.reserve(await header(), 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
    const { rows } = await database().query('SELECT * FROM runner.sources WHERE cumulative > 0');
    expect(rows).toEqual([]);
  });

  // One voucher that Jobs refuses would take the settlement of everybody else's with it.
  it.each([
    [
      'a recovery id instead of v',
      (signature: Hex): Hex => `${signature.slice(0, -2)}0${Number(signature.slice(-2) === '1c')}` as Hex,
    ],
    [
      'the other root of s',
      (signature: Hex): Hex => {
        const s = (CURVE_ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
        return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}` as Hex;
      },
    ],
  ])('refuses a signature that the contract would not take: %s', async (_name, change) => {
    const voucher = await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: 500n });
    const changed = asPayment({ ...voucher, signature: change(voucher.signature) });
    await expect(payments.reserve(changed, 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
    await expect(payments.reserve(asPayment(voucher), 1n, HASH)).resolves.toMatchObject({
      source: { kind: 2, id: 1n },
    });
  });

  it('takes a voucher to the wei of the deposit, and of a raised one', async () => {
    await expect(payments.reserve(await pay(1_000n), 1_000n, HASH)).resolves.toBeDefined();
    tell(view, event('ChannelToppedUp', { channelId: 1n, amount: 1n, deposit: 1_001n }));
    await expect(payments.reserve(await pay(1_001n), 1n, HASH)).resolves.toBeDefined();
  });

  it('says what is needed when the voucher does not cover the call', async () => {
    await expect(payments.reserve(await pay(500n), 501n, HASH)).rejects.toMatchObject({
      code: 'PAYMENT_REQUIRED',
      meta: { needed: 501n, cumulative: 500n },
    });
  });

  it('carries over what a call did not use', async () => {
    const voucher = await pay(500n);
    await serve(voucher, 500n, 200n, 'one');
    await serve(voucher, 300n, 299n, 'two');
    await expect(payments.reserve(voucher, 2n, HASH)).rejects.toMatchObject({ meta: { needed: 501n } });
    await expect(payments.reserve(voucher, 1n, HASH)).resolves.toBeDefined();
  });

  it('gives all of it back when the call failed, once', async () => {
    const voucher = await pay(500n);
    const hold = await payments.reserve(voucher, 500n, HASH);
    hold.release();
    hold.release();
    const again = await payments.reserve(voucher, 500n, HASH);
    await expect(payments.reserve(voucher, 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED' });
    again.release();
  });

  it('keeps the best voucher whatever the order', async () => {
    await payments.reserve(await pay(700n), 100n, HASH);
    await payments.reserve(await pay(300n), 600n, HASH);
    const { rows } = await database().query<{ cumulative: string; signature: string }>(
      'SELECT cumulative::text AS cumulative, signature FROM runner.sources',
    );
    const best = await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: 700n });
    expect(rows).toEqual([{ cumulative: '700', signature: best.signature }]);
  });

  it('lets calls at the same time not spend one credit twice', async () => {
    const voucher = await pay(1_000n);
    const outcomes = await Promise.allSettled([...Array(10)].map(() => payments.reserve(voucher, 300n, HASH)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('does not overlook a call that ends while the next one is being checked', async () => {
    let reached = () => {};
    const isKeeping = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let deliver = () => {};
    const delivered = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    let updates = 0;
    // A connection whose second voucher is a while under way.
    const slow: RunnerDatabase = {
      ...database(),
      query: async (text, params) => {
        const result = await database().query<never>(text, params);
        if (text.startsWith('UPDATE runner.sources') && ++updates === 2) {
          reached();
          await delivered;
        }
        return result;
      },
    };
    payments = open(slow);
    const first = await payments.reserve(await pay(500n), 500n, HASH);
    const second = payments.reserve(await pay(600n), 500n, HASH);
    await isKeeping;
    await keepOutput(database(), output('first', 500n, first.takeNonce()));
    first.release(500n);
    deliver();
    await expect(second).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED', meta: { needed: 1_000n } });
  });

  it('remembers vouchers and what was served after a restart', async () => {
    await serve(await pay(500n), 400n, 400n, 'before');
    payments = open();
    const old = await pay(100n);
    await expect(payments.reserve(old, 101n, HASH)).rejects.toMatchObject({ meta: { needed: 501n, cumulative: 500n } });
    await expect(payments.reserve(old, 100n, HASH)).resolves.toBeDefined();
  });

  it('does not serve again what the chain has settled, when its database is new', async () => {
    const settled = { amount: 300n, cumulative: 300n, batchIndex: 0n, splitVersion: 1 };
    tell(
      view,
      event('ChannelSettled', { channelId: 1n, runner: low(runner.address), payer: low(payer.address), ...settled }),
    );
    await expect(payments.reserve(await pay(300n), 1n, HASH)).rejects.toMatchObject({ meta: { needed: 301n } });
    const hold = await payments.reserve(await pay(301n), 1n, HASH);
    // The numbers that were given out are forgotten; the new ones must not meet them.
    expect(hold.takeNonce()).toBe(BigInt(NOW));
  });

  it('numbers the outputs of a channel once each, over restarts', async () => {
    const voucher = await pay(1_000n);
    await serve(voucher, 10n, 10n, 'zero');
    await serve(voucher, 10n, 10n, 'one');
    payments = open();
    expect((await payments.reserve(voucher, 10n, HASH)).takeNonce()).toBe(2n);
  });

  it('refuses a voucher of a channel that started to close while it was checked', async () => {
    const closing: RunnerDatabase = {
      ...database(),
      query: async (text, params) => {
        tell(view, event('ChannelCloseRequested', { channelId: 1n, closableAt: 5n }));
        return database().query(text, params);
      },
    };
    payments = open(closing);
    await expect(payments.reserve(await pay(500n), 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
  });

  it('serves nothing before the chain is read', async () => {
    view.ready = false;
    await expect(payments.reserve(await pay(500n), 1n, HASH)).rejects.toMatchObject({ code: 'NOT_READY' });
  });

  describe('of an inference job', () => {
    const requested = (jobId: bigint, changes: { runner?: string; deadline?: bigint; requestHash?: Hex } = {}) =>
      event('InferenceRequested', {
        jobId,
        payer: low(payer.address),
        runner: low(changes.runner ?? runner.address),
        modelId: 1n,
        escrow: 100n,
        requestHash: changes.requestHash ?? HASH,
        maxTokens: 20,
        deadline: changes.deadline ?? BigInt(NOW / 1000) + 600n,
      });
    const call = async (jobId: bigint, account = payer, requestHash = HASH): Promise<Payment> => ({
      scheme: paymentSchemes.escrow,
      network: networkOf(CHAIN_ID),
      jobId,
      signature: await signInferenceCall(account, CHAIN_ID, { jobId, requestHash }),
    });
    beforeEach(() => {
      tell(
        view,
        requested(1n),
        requested(2n, { runner: stranger.address }),
        requested(3n, { deadline: BigInt(NOW / 1000) + 119n }),
        requested(4n, { requestHash: hashOf('another body') }),
        requested(5n),
        event('InferenceRefunded', { jobId: 5n, payer: low(payer.address), amount: 100n }),
      );
    });

    it('takes it once, and again when the call failed', async () => {
      const payment = await call(1n);
      const first = await payments.reserve(payment, 100n, HASH);
      await expect(payments.reserve(payment, 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
      first.release();
      const second = await payments.reserve(payment, 100n, HASH);
      expect(second).toMatchObject({ source: { kind: 3, id: 1n }, payer: low(payer.address) });
      await keepOutput(
        database(),
        outputRecord('job', { sourceKind: 3, sourceId: '1', cost: '60', nonce: second.takeNonce().toString() }),
      );
      second.release(60n);
      for (const again of [payments, open()]) {
        await expect(again.reserve(payment, 1n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
      }
    });

    it.each([
      ['of another runner', () => call(2n), 1n],
      ['that ends too soon', () => call(3n), 1n],
      ['for another request', () => call(4n), 1n],
      ['that was refunded', () => call(5n), 1n],
      ['that nobody requested', () => call(9n), 1n],
      ['with somebody else’s signature', () => call(1n, stranger), 1n],
      ['with a signature over another request', () => call(1n, payer, hashOf('other')), 1n],
    ])('refuses one %s', async (_name, payment, cost) => {
      await expect(payments.reserve(await payment(), cost, HASH)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
    });

    it('refuses one whose escrow does not cover the call', async () => {
      await expect(payments.reserve(await call(1n), 101n, HASH)).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED' });
    });
  });
});
