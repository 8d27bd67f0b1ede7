import { contracts, signVoucher } from '@openledger/client';
import { type BatchOutput, decodeBatch } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import { type Hex, keccak256, size } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { runnerError } from '../src/errors.ts';
import { findOutput, type OutputRecord, saveOutput } from '../src/gateway/outputs.ts';
import { Settler } from '../src/gateway/settler.ts';
import { CHAIN_ID, channelOpened, event, hashOf, low, payer, runner, tell, viewOf } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { outputRecord } from './support/outputs.ts';
import { reverted, ScriptedSender } from './support/scriptedSender.ts';

const database = useDatabase();

describe('Settler', () => {
  let view: RunnerView;
  let sender: ScriptedSender;
  let settler: Settler;
  const restart = () => {
    settler = new Settler({ database: database(), view, transactor: sender, log: silentLogger });
  };
  beforeEach(() => {
    view = viewOf(channelOpened(1n, 1_000n), channelOpened(2n, 1_000n));
    sender = new ScriptedSender();
    restart();
  });

  const save = async (...records: OutputRecord[]) => {
    for (const record of records) await saveOutput(database(), record);
  };
  const promise = async (channelId: bigint, cumulativeAmount: bigint) => {
    const voucher = await signVoucher(payer, CHAIN_ID, { channelId, cumulativeAmount });
    await database().query('INSERT INTO runner.vouchers (channel_id, cumulative, signature) VALUES ($1, $2, $3)', [
      channelId.toString(),
      cumulativeAmount.toString(),
      voucher.signature,
    ]);
    return voucher;
  };
  const settledIn = async (name: string) => (await findOutput(database(), hashOf(name)))?.settledIn;
  /** The batches that were sent, by either way, decoded. */
  const batches = (): BatchOutput[][] =>
    sender.calls.map(({ args = [] }) => {
      const [count, batch] = args.slice(-2) as [number, Hex];
      return decodeBatch(batch, count);
    });
  const ids = (batch: readonly BatchOutput[] = []) => batch.map(({ outputId }) => outputId);

  it('sends nothing when nothing was served, promised or not', async () => {
    await promise(1n, 500n);
    expect(await settler.settleOnce()).toBe(0);
    expect(sender.calls).toEqual([]);
  });

  it('puts outputs and the vouchers of their channels into one settlement', async () => {
    const vouchers = [await promise(1n, 500n), await promise(2n, 30n)];
    await promise(3n, 7n);
    await save(outputRecord('a'), outputRecord('b', { channelId: '2', modelId: '5', rows: [] }), outputRecord('c'));
    expect(await settler.settleOnce()).toBe(3);
    expect(sender.calls).toHaveLength(1);
    expect(sender.calls[0]).toMatchObject({ address: contracts.jobs.address, functionName: 'settleChannels' });
    expect(sender.calls[0]?.args?.slice(0, 3)).toEqual([vouchers, 0, 3]);
    expect(batches()[0]).toHaveLength(3);
    expect(batches()[0]?.find(({ outputId }) => outputId === hashOf('a'))).toEqual({
      outputId: hashOf('a'),
      modelId: 1n,
      sourceKind: 2,
      sourceId: 1n,
      promptHash: hashOf('prompt of a'),
      outputHash: hashOf('output of a'),
      promptTokens: 3,
      outputTokens: 4,
      feeWeight: 10n,
      method: 2,
      rows: [
        { contributionId: 2n, weight: 7n },
        { contributionId: 11n, weight: 1n },
      ],
    });
    expect(await settledIn('a')).toBe(hashOf('tx 1'));
    expect(await settler.settleOnce()).toBe(0);
  });

  it('keeps every digit of money and weights', async () => {
    const cost = (1n << 128n) - 1n;
    const weight = (1n << 200n) + 1n;
    await save(
      outputRecord('a', { cost: cost.toString(), rows: [{ contributionId: '5', weight: weight.toString() }] }),
      outputRecord('free', { cost: '0' }),
    );
    await settler.settleOnce();
    const [batch] = batches();
    expect(batch?.find(({ outputId }) => outputId === hashOf('a'))).toMatchObject({
      feeWeight: cost,
      rows: [{ contributionId: 5n, weight }],
    });
    expect(batch?.find(({ outputId }) => outputId === hashOf('free'))).toMatchObject({ feeWeight: 0n });
  });

  it.each([
    ['there is no voucher', async () => {}],
    [
      'the best voucher is settled already',
      async () => {
        await promise(1n, 500n);
        const settled = { amount: 500n, cumulative: 500n, batchIndex: 0n, splitVersion: 1 };
        tell(
          view,
          event('ChannelSettled', {
            channelId: 1n,
            runner: low(runner.address),
            payer: low(payer.address),
            ...settled,
          }),
        );
      },
    ],
    [
      'the channel is closed',
      async () => {
        await promise(1n, 500n);
        tell(view, event('ChannelClosed', { channelId: 1n, payer: low(payer.address), refund: 1_000n }));
      },
    ],
    [
      'the chain does not know the channel',
      async () => {
        await promise(9n, 500n);
        await save(outputRecord('lost', { channelId: '9' }));
      },
    ],
  ])('appends the outputs alone when %s', async (_name, prepare) => {
    await save(outputRecord('a'));
    await prepare();
    const count = await settler.settleOnce();
    expect(sender.calls[0]).toMatchObject({ address: contracts.attributionLedger.address, functionName: 'append' });
    expect(sender.calls[0]?.args?.slice(0, 2)).toEqual([0, count]);
    expect(ids(batches()[0])).toContain(hashOf('a'));
  });

  it('sends outputs again that a refused settlement carried', async () => {
    await promise(1n, 500n);
    await save(outputRecord('a'));
    sender.answers.settleChannels = () => {
      throw reverted('BadSignature');
    };
    await expect(settler.settleOnce()).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
    expect(await settledIn('a')).toBe(null);
    sender.answers = {};
    expect(await settler.settleOnce()).toBe(1);
    expect(await settledIn('a')).toBe(hashOf('tx 2'));
  });

  const appended = (batch: Hex, batchIndex: bigint) =>
    event('BatchAppended', {
      batchIndex,
      runner: low(runner.address),
      version: 0,
      count: 1,
      batchHash: keccak256(batch),
      head: hashOf('head'),
    });
  /** The process ends after sending: what is left is the mark. Returns the batch. */
  const crashWhileSending = async (): Promise<Hex> => {
    await save(outputRecord('a'));
    sender.answers.append = () => {
      throw runnerError('CHAIN_UNAVAILABLE', 'no answer');
    };
    await expect(settler.settleOnce()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    const batch = sender.sent('append')[0]?.[2] as Hex;
    expect(await settledIn('a')).toBe(`sending:${keccak256(batch)}`);
    sender.answers = {};
    restart();
    return batch;
  };

  it('does not repeat a batch that had got to the chain before a crash', async () => {
    tell(view, appended(await crashWhileSending(), 5n));
    expect(await settler.settleOnce()).toBe(0);
    expect(sender.calls).toHaveLength(1);
    expect(await settledIn('a')).toBe('batch:5');
  });

  it('repeats a batch that had not got to the chain before a crash', async () => {
    tell(view, appended(hashOf('another batch'), 5n));
    await crashWhileSending();
    expect(await settler.settleOnce()).toBe(1);
    expect(await settledIn('a')).toBe(hashOf('tx 2'));
  });

  it('decides nothing while the view has not read its log to the end', async () => {
    const batch = await crashWhileSending();
    view.clear();
    expect(await settler.settleOnce()).toBe(0);
    expect(await settledIn('a')).toMatch(/^sending:/);
    tell(view, appended(batch, 0n));
    view.ready = true;
    expect(await settler.settleOnce()).toBe(0);
    expect(await settledIn('a')).toBe('batch:0');
  });

  it('never carries an output twice, also when settlements are asked for at the same time', async () => {
    await save(outputRecord('a'), outputRecord('b'));
    const counts = await Promise.all([settler.settleOnce(), settler.settleOnce(), settler.settleOnce()]);
    expect(counts).toEqual([2, 0, 0]);
    expect(sender.calls).toHaveLength(1);
  });

  it('settles the next time although one settlement failed', async () => {
    await save(outputRecord('a'));
    sender.answers.append = () => {
      throw reverted('NotBondedRunner');
    };
    const outcomes = await Promise.allSettled([settler.settleOnce(), settler.settleOnce()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(sender.calls).toHaveLength(2);
  });

  it('carries at most 500 outputs, the oldest first', async () => {
    await database().query(
      `INSERT INTO runner.outputs (output_id, channel_id, created_at, record)
       SELECT id, '1', now() + i * interval '1 second', jsonb_set($1::jsonb, '{outputId}', to_jsonb(id))
       FROM (SELECT i, '0x' || lpad(i::text, 64, '0') AS id FROM generate_series(1, 501) i) made`,
      [JSON.stringify(outputRecord('any'))],
    );
    expect([await settler.settleOnce(), await settler.settleOnce(), await settler.settleOnce()]).toEqual([500, 1, 0]);
    expect(ids(batches()[1])).toEqual([`0x${'501'.padStart(64, '0')}`]);
  });

  it('carries at most 256 vouchers, and only outputs that go with them', async () => {
    for (let i = 1; i <= 257; i++) {
      tell(view, channelOpened(BigInt(i), 100n));
      await promise(BigInt(i), 5n);
      await save(outputRecord(`${i}`, { channelId: `${i}` }));
    }
    expect(await settler.settleOnce()).toBe(256);
    expect(sender.sent('settleChannels')[0]?.[0]).toHaveLength(256);
    expect(await settler.settleOnce()).toBe(1);
  });

  it('keeps a batch within what a transaction holds', async () => {
    const rows = [...Array(200).keys()].map((i) => ({ contributionId: `${i + 1}`, weight: `${1n << 200n}` }));
    const names = [...Array(100).keys()].map((i) => `big ${i}`);
    await promise(1n, 500n);
    await save(...names.map((name) => outputRecord(name, { rows })));
    while ((await settler.settleOnce()) > 0);
    for (const { args } of sender.calls) expect(size(args?.at(-1) as Hex)).toBeLessThan(256 * 1024);
    expect(batches().flatMap(ids).sort()).toEqual(names.map(hashOf).sort());
  });

  it('settles at every interval, and once more when it is told to end', async () => {
    await save(outputRecord('a'));
    const abort = new AbortController();
    const first = new Promise<void>((resolve) => {
      sender.answers.append = () => void resolve();
    });
    const running = settler.run(1, abort.signal);
    await first;
    abort.abort();
    await running;
    expect(await settledIn('a')).toBe(hashOf('tx 1'));
    await save(outputRecord('b'));
    await settler.run(60_000, AbortSignal.abort());
    expect(await settledIn('b')).toBe(null);
    const ending = new AbortController();
    const last = settler.run(60_000, ending.signal);
    ending.abort();
    await last;
    expect(await settledIn('b')).toBe(hashOf('tx 2'));
  });
});
