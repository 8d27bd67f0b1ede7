import { encodePayment, signVoucher } from '@openledger/client';
import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Model, RunnerView } from '../src/chain/runnerView.ts';
import { saveOutput } from '../src/gateway/outputs.ts';
import { Payments, priceOf } from '../src/gateway/payments.ts';
import type { RunnerDatabase } from '../src/queue/database.ts';
import { CHAIN_ID, channelOpened, event, low, payer, runner, stranger, tell, viewOf } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { outputRecord } from './support/outputs.ts';

const database = useDatabase();
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const pay = async (cumulativeAmount: bigint, channelId = 1n, account = payer, chainId = CHAIN_ID) =>
  encodePayment(await signVoucher(account, chainId, { channelId, cumulativeAmount }));

const output = (name: string, cost: bigint) => outputRecord(name, { cost: cost.toString() });

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
    new Payments({ database: db, view, runner: runner.address, chainId: CHAIN_ID });
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
  const serve = async (header: string, maxCost: bigint, cost: bigint, name: string) => {
    const hold = await payments.reserve(header, maxCost);
    await saveOutput(database(), output(name, cost));
    hold.release(cost);
  };

  it('wants a voucher', async () => {
    await expect(payments.reserve(undefined, 5n)).rejects.toMatchObject({
      code: 'PAYMENT_REQUIRED',
      meta: { maxCost: 5n },
    });
  });

  it.each([
    ['no base64 JSON', async () => '%%%'],
    ['signed by another account', () => pay(500n, 1n, stranger)],
    ['signed for another chain', () => pay(500n, 1n, payer, 1)],
    ['of an unknown channel', () => pay(500n, 9n)],
    ['of a channel to another runner', () => pay(500n, 2n)],
    ['of a closing channel', () => pay(500n, 3n)],
    ['of a closed channel', () => pay(500n, 4n)],
    ['over the deposit', () => pay(1_001n)],
  ])('refuses a voucher that is %s, and forgets it', async (_name, header) => {
    await expect(payments.reserve(await header(), 1n)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
    expect((await database().query('SELECT * FROM runner.vouchers')).rows).toEqual([]);
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
    const changed = encodePayment({ ...voucher, signature: change(voucher.signature) });
    await expect(payments.reserve(changed, 1n)).rejects.toMatchObject({ code: 'PAYMENT_INVALID' });
    await expect(payments.reserve(encodePayment(voucher), 1n)).resolves.toMatchObject({ channelId: 1n });
  });

  it('takes a voucher to the wei of the deposit, and of a raised one', async () => {
    await expect(payments.reserve(await pay(1_000n), 1_000n)).resolves.toBeDefined();
    tell(view, event('ChannelToppedUp', { channelId: 1n, amount: 1n, deposit: 1_001n }));
    await expect(payments.reserve(await pay(1_001n), 1n)).resolves.toBeDefined();
  });

  it('says what is needed when the voucher does not cover the call', async () => {
    await expect(payments.reserve(await pay(500n), 501n)).rejects.toMatchObject({
      code: 'PAYMENT_REQUIRED',
      meta: { needed: 501n, cumulative: 500n },
    });
  });

  it('carries over what a call did not use', async () => {
    const voucher = await pay(500n);
    await serve(voucher, 500n, 200n, 'one');
    await serve(voucher, 300n, 299n, 'two');
    await expect(payments.reserve(voucher, 2n)).rejects.toMatchObject({ meta: { needed: 501n } });
    await expect(payments.reserve(voucher, 1n)).resolves.toBeDefined();
  });

  it('gives all of it back when the call failed, once', async () => {
    const voucher = await pay(500n);
    const hold = await payments.reserve(voucher, 500n);
    hold.release();
    hold.release();
    const again = await payments.reserve(voucher, 500n);
    await expect(payments.reserve(voucher, 1n)).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED' });
    again.release();
  });

  it('keeps the best voucher whatever the order', async () => {
    await payments.reserve(await pay(700n), 100n);
    await payments.reserve(await pay(300n), 600n);
    const { rows } = await database().query<{ cumulative: string; signature: string }>(
      'SELECT cumulative::text AS cumulative, signature FROM runner.vouchers',
    );
    const best = await signVoucher(payer, CHAIN_ID, { channelId: 1n, cumulativeAmount: 700n });
    expect(rows).toEqual([{ cumulative: '700', signature: best.signature }]);
  });

  it('lets calls at the same time not spend one credit twice', async () => {
    const voucher = await pay(1_000n);
    const outcomes = await Promise.allSettled([...Array(10)].map(() => payments.reserve(voucher, 300n)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('does not overlook a call that ends while the next one is being checked', async () => {
    let selects = 0;
    let read = () => {};
    const wasRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    let deliver = () => {};
    const delivered = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    // A connection whose second answer is a while under way.
    const slow: RunnerDatabase = {
      ...database(),
      query: async (text, params) => {
        const result = await database().query<never>(text, params);
        if (text.startsWith('SELECT') && ++selects === 2) {
          read();
          await delivered;
        }
        return result;
      },
    };
    payments = open(slow);
    const voucher = await pay(500n);
    const first = await payments.reserve(voucher, 500n);
    const second = payments.reserve(voucher, 500n);
    await Promise.race([wasRead, second.catch(() => {})]);
    await saveOutput(database(), output('first', 500n));
    first.release(500n);
    deliver();
    await expect(second).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED' });
  });

  it('remembers vouchers and what was served after a restart', async () => {
    await serve(await pay(500n), 400n, 400n, 'before');
    payments = open();
    const old = await pay(100n);
    await expect(payments.reserve(old, 101n)).rejects.toMatchObject({ meta: { needed: 501n, cumulative: 500n } });
    await expect(payments.reserve(old, 100n)).resolves.toBeDefined();
  });
});
