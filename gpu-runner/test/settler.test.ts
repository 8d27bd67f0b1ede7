import { contracts, signVoucher } from '@openledger/client';
import { type BatchOutput, decodePage, outputIdOf, outputsOf, pagesRoot } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import { type Hex, hexToBytes, type TransactionReceipt } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { runnerError } from '../src/errors.ts';
import { findOutput, type OutputRecord } from '../src/gateway/outputs.ts';
import { Settler } from '../src/gateway/settler.ts';
import { CHAIN_ID, channelOpened, event, hashOf, low, payer, runner, tell, viewOf } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { keepOutput, outputRecord } from './support/outputs.ts';
import { reverted, ScriptedSender } from './support/scriptedSender.ts';

const database = useDatabase();

describe('Settler', () => {
  let view: RunnerView;
  let sender: ScriptedSender;
  let settler: Settler;
  let nonce = 0;
  const restart = () => {
    settler = new Settler({ database: database(), view, transactor: sender, log: silentLogger });
  };
  beforeEach(() => {
    nonce = 0;
    view = viewOf(channelOpened(1n, 100_000n), channelOpened(2n, 100_000n));
    sender = new ScriptedSender();
    restart();
  });

  /** A served output; of channel 1 and 10 wei unless told. */
  const record = (name: string, changes: Partial<OutputRecord> = {}): OutputRecord => {
    const made = outputRecord(name, { nonce: `${nonce++}`, ...changes });
    return { ...made, outputId: outputIdOf(identity(made)) };
  };
  const identity = (made: OutputRecord) => ({
    modelId: BigInt(made.modelId),
    sourceKind: made.sourceKind,
    sourceId: BigInt(made.sourceId),
    promptHash: made.promptHash,
    outputHash: made.outputHash,
    nonce: BigInt(made.nonce),
  });
  const save = async (...records: OutputRecord[]) => {
    for (const one of records) {
      await database().query('INSERT INTO runner.sources (kind, id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        one.sourceKind,
        one.sourceId,
      ]);
      await keepOutput(database(), one);
    }
  };
  const promise = async (channelId: bigint, cumulativeAmount: bigint) => {
    const voucher = await signVoucher(payer, CHAIN_ID, { channelId, cumulativeAmount });
    await database().query(
      `INSERT INTO runner.sources (kind, id, cumulative, signature) VALUES (2, $1, $2, $3)
       ON CONFLICT (kind, id) DO UPDATE SET cumulative = excluded.cumulative, signature = excluded.signature`,
      [channelId.toString(), cumulativeAmount.toString(), voucher.signature],
    );
    return voucher;
  };
  const settlementOf = async ({ outputId }: OutputRecord) => (await findOutput(database(), outputId))?.settlement;
  /** All ways to settle take the pages last. */
  const pagesOf = (call = sender.calls.at(-1)) => {
    const pages = (call?.args?.at(-1) ?? []) as Hex[];
    return pages.map((page) => hexToBytes(page));
  };
  const rootOf = (call = sender.calls.at(-1)) => pagesRoot(pagesOf(call));
  /** The batches that were sent, by any way, decoded. */
  const batches = (): BatchOutput[][] =>
    sender.calls.map((call) => pagesOf(call).flatMap((page) => outputsOf(decodePage(page))));
  const ids = (batch: readonly BatchOutput[] = []) => batch.map((output) => outputIdOf(output));
  const channelSettled = (channelId: bigint, cumulative: bigint, amount = cumulative) =>
    event('ChannelSettled', {
      channelId,
      runner: low(runner.address),
      payer: low(payer.address),
      amount,
      cumulative,
      batchIndex: 0n,
      splitVersion: 1,
    });
  const appended = (pagesRootOf: Hex, batchIndex: bigint) =>
    event('BatchAppended', {
      batchIndex,
      runner: low(runner.address),
      pageCount: 1,
      pagesRoot: pagesRootOf,
      settlementsHash: hashOf('settlements'),
      head: hashOf('head'),
    });

  it('sends nothing when nothing was served, promised or not', async () => {
    await promise(1n, 500n);
    expect(await settler.settleOnce()).toBe(0);
    expect(sender.calls).toEqual([]);
  });

  it('takes of each voucher the price of what was served, no more', async () => {
    const vouchers = [await promise(1n, 500n), await promise(2n, 30n)];
    await promise(3n, 7n);
    const [a, b, c] = [record('a'), record('b', { sourceId: '2', modelId: '5', cost: '30', rows: [] }), record('c')];
    await save(a, b, c);
    expect(await settler.settleOnce()).toBe(3);
    expect(sender.calls).toHaveLength(1);
    expect(sender.calls[0]).toMatchObject({ address: contracts.jobs.address, functionName: 'settleChannels' });
    expect(sender.calls[0]?.args?.[0]).toEqual([
      { ...vouchers[0], settleUpTo: 20n },
      { ...vouchers[1], settleUpTo: 30n },
    ]);
    expect(ids(batches()[0])).toEqual([a, b, c].map(({ outputId }) => outputId));
    expect(batches()[0]?.[0]).toEqual({
      ...identity(a),
      promptTokens: 3,
      outputTokens: 4,
      feeWeight: 10n,
      method: 2,
      rows: [
        { contributionId: 2n, weight: 7n },
        { contributionId: 11n, weight: 1n },
      ],
    });
    expect(await settlementOf(a)).toBe(rootOf());
    expect(await settler.settleOnce()).toBe(0);
  });

  it('lays the money of an output on the batch that carries it, over several batches', async () => {
    const voucher = await promise(1n, 99_999n);
    const records = Array.from({ length: 501 }, (_, i) => record(`${i}`, { cost: `${i + 1}` }));
    await save(...records);
    expect([await settler.settleOnce(), await settler.settleOnce(), await settler.settleOnce()]).toEqual([500, 1, 0]);
    const taken = sender.sent('settleChannels').map(([vouchers]) => vouchers);
    expect(taken).toEqual([[{ ...voucher, settleUpTo: 125_250n }], [{ ...voucher, settleUpTo: 125_751n }]]);
    const weights = batches().map((batch) => batch.reduce((sum, { feeWeight }) => sum + feeWeight, 0n));
    expect(weights).toEqual([125_250n, 501n]);
    expect(ids(batches()[1])).toEqual([records[500]?.outputId]);
  }, 60_000);

  it('goes on where the chain is when outputs were settled before', async () => {
    const voucher = await promise(1n, 500n);
    await save(record('a'));
    await settler.settleOnce();
    tell(view, appended(rootOf(), 0n), channelSettled(1n, 10n));
    await save(record('b', { cost: '7' }));
    await settler.settleOnce();
    expect(sender.sent('settleChannels')[1]?.[0]).toEqual([{ ...voucher, settleUpTo: 17n }]);
  });

  it('keeps every digit of money', async () => {
    const cost = (1n << 128n) - 1n;
    await save(record('a', { cost: cost.toString() }), record('free', { cost: '0' }));
    await settler.settleOnce();
    expect(batches()[0]?.map(({ feeWeight }) => feeWeight)).toEqual([cost, 0n]);
  });

  it.each([
    ['nothing is due', async () => ({ cost: '0' })],
    [
      'the channel is closed',
      async () => {
        tell(view, event('ChannelClosed', { channelId: 1n, payer: low(payer.address), refund: 1_000n }));
        return {};
      },
    ],
    [
      'the job was refunded',
      async () => {
        tell(
          view,
          inferenceRequested(4n),
          event('InferenceRefunded', { jobId: 4n, payer: low(payer.address), amount: 9n }),
        );
        return { sourceKind: 3 as const, sourceId: '4' };
      },
    ],
  ])('appends the outputs alone when %s', async (_name, prepare) => {
    await promise(1n, 500n);
    const one = record('a', await prepare());
    await save(one);
    expect(await settler.settleOnce()).toBe(1);
    expect(sender.calls[0]).toMatchObject({ address: contracts.attributionLedger.address, functionName: 'append' });
    expect(ids(batches()[0])).toEqual([one.outputId]);
  });

  const inferenceRequested = (jobId: bigint) =>
    event('InferenceRequested', {
      jobId,
      payer: low(payer.address),
      runner: low(runner.address),
      modelId: 1n,
      escrow: 100n,
      requestHash: hashOf('body'),
      maxTokens: 10,
      deadline: 2_000_000_000n,
    });

  it('commits inference jobs with what each answer cost, beside the channels', async () => {
    tell(view, inferenceRequested(4n), inferenceRequested(5n));
    await promise(1n, 500n);
    await save(
      record('a', { sourceKind: 3, sourceId: '4', cost: '60', nonce: '0' }),
      record('b'),
      record('c', { sourceKind: 3, sourceId: '5', cost: '0', nonce: '0' }),
    );
    expect([await settler.settleOnce(), await settler.settleOnce()]).toEqual([2, 1]);
    expect(sender.sent('commitInference')[0]?.[0]).toEqual([
      { jobId: 4n, amount: 60n },
      { jobId: 5n, amount: 0n },
    ]);
    expect(sender.sent('settleChannels')).toHaveLength(1);
  });

  it('leaves outputs of a channel that the chain does not know, and settles the others', async () => {
    await promise(1n, 500n);
    const lost = record('lost', { sourceId: '9' });
    await save(lost, record('a'));
    expect([await settler.settleOnce(), await settler.settleOnce()]).toEqual([1, 0]);
    expect(await settlementOf(lost)).toBe(null);
  });

  it('sends outputs again that a refused settlement carried', async () => {
    await promise(1n, 500n);
    const one = record('a');
    await save(one);
    sender.answers.settleChannels = () => {
      throw reverted('NotBondedRunner', runner.address);
    };
    await expect(settler.settleOnce()).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
    expect(await settlementOf(one)).toBe(null);
    sender.answers = {};
    expect(await settler.settleOnce()).toBe(1);
    expect(await settlementOf(one)).toBe(rootOf());
  });

  it('lets a source that Jobs refuses hold up nobody else', async () => {
    await promise(1n, 500n);
    await promise(2n, 500n);
    await save(record('a'), record('b', { sourceId: '2' }));
    sender.answers.settleChannels = ({ args }) => {
      const vouchers = args?.[0] as { channelId: bigint }[];
      if (vouchers.some(({ channelId }) => channelId === 1n)) throw reverted('BadSignature', '1');
      return undefined;
    };
    await expect(settler.settleOnce()).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED' });
    expect([await settler.settleOnce(), await settler.settleOnce()]).toEqual([1, 0]);
    expect(batches()[1]?.map(({ sourceId }) => sourceId)).toEqual([2n]);
  });

  describe('when it is not known whether a batch has landed', () => {
    let one: OutputRecord;
    /** The process ends after sending: what is left is what was written down. */
    beforeEach(async () => {
      await promise(1n, 500n);
      one = record('a');
      await save(one);
      sender.answers.settleChannels = () => {
        throw runnerError('CHAIN_UNAVAILABLE', 'no answer');
      };
      await expect(settler.settleOnce()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
      expect(await settlementOf(one)).toBe(rootOf());
      sender.answers = {};
      restart();
    });

    it('sends the same bytes again and nothing else, while it is under way', async () => {
      await save(record('b'));
      expect([await settler.settleOnce(), await settler.settleOnce()]).toEqual([0, 0]);
      expect(sender.calls).toHaveLength(1);
      expect(sender.broadcasts).toEqual([hashOf('raw 1'), hashOf('raw 1')]);
    });

    it('does not repeat it once the view shows it, and goes on', async () => {
      tell(view, appended(rootOf(), 5n), channelSettled(1n, 10n));
      await save(record('b'));
      expect(await settler.settleOnce()).toBe(1);
      expect(batches()[1]).toHaveLength(1);
      expect(sender.broadcasts).toEqual([]);
    });

    it('does not repeat it when there is a receipt', async () => {
      sender.outcomes.set(hashOf('tx 1'), { status: 'success' } as TransactionReceipt);
      expect(await settler.settleOnce()).toBe(0);
      expect(sender.calls).toHaveLength(1);
    });

    it.each([
      ['reverted', { status: 'reverted' } as TransactionReceipt],
      ['lost its nonce to another transaction', 'replaced' as const],
    ])('repeats it when it %s', async (_name, outcome) => {
      tell(view, appended(hashOf('another batch'), 5n));
      sender.outcomes.set(hashOf('tx 1'), outcome);
      expect(await settler.settleOnce()).toBe(1);
      expect(ids(batches()[1])).toEqual([one.outputId]);
    });

    it('decides nothing while the view has not read its log to the end', async () => {
      sender.outcomes.set(hashOf('tx 1'), 'replaced');
      view.clear();
      expect(await settler.settleOnce()).toBe(0);
      expect(await settlementOf(one)).toBe(rootOf());
    });
  });

  it('settles again what a reorg took back', async () => {
    await promise(1n, 500n);
    const one = record('a');
    await save(one);
    await settler.settleOnce();
    const root = rootOf();
    tell(view, appended(root, 0n), channelSettled(1n, 10n));
    expect(await settler.settleOnce()).toBe(0);
    view.clear();
    tell(view, channelOpened(1n, 100_000n));
    view.ready = true;
    sender.outcomes.set(hashOf('tx 1'), 'replaced');
    expect(await settler.settleOnce()).toBe(1);
    expect(
      sender.sent('settleChannels').map(([vouchers]) => (vouchers as { settleUpTo: bigint }[])[0]?.settleUpTo),
    ).toEqual([10n, 10n]);
  });

  it('never carries an output twice, also when settlements are asked for at the same time', async () => {
    await save(record('a'), record('b'));
    const counts = await Promise.all([settler.settleOnce(), settler.settleOnce(), settler.settleOnce()]);
    expect(counts).toEqual([2, 0, 0]);
    expect(sender.calls).toHaveLength(1);
  });

  it('settles the next time although one settlement failed', async () => {
    await save(record('a'));
    sender.answers.append = () => {
      throw reverted('NotBondedRunner', runner.address);
    };
    const outcomes = await Promise.allSettled([settler.settleOnce(), settler.settleOnce()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(sender.calls).toHaveLength(2);
  });

  it('carries at most 256 vouchers, and only outputs that go with them', async () => {
    for (let i = 1; i <= 257; i++) {
      tell(view, channelOpened(BigInt(i), 100n));
      await promise(BigInt(i), 50n);
      await save(record(`${i}`, { sourceId: `${i}` }));
    }
    expect(await settler.settleOnce()).toBe(256);
    expect(sender.sent('settleChannels')[0]?.[0]).toHaveLength(256);
    expect(await settler.settleOnce()).toBe(1);
  }, 60_000);

  it('keeps a batch within what a transaction holds', async () => {
    const rows = Array.from({ length: 900 }, (_, i) => ({ contributionId: `${i + 1}`, weight: `${2 ** 53 - 1}` }));
    const records = Array.from({ length: 60 }, (_, i) => record(`big ${i}`, { rows }));
    await promise(1n, 10_000n);
    await save(...records);
    while ((await settler.settleOnce()) > 0);
    expect(sender.calls.length).toBeGreaterThan(1);
    for (const call of sender.calls) {
      const bytes = pagesOf(call).reduce((sum, page) => sum + page.length, 0);
      expect(bytes).toBeLessThan(256 * 1024);
    }
    expect(batches().flatMap(ids)).toEqual(records.map(({ outputId }) => outputId));
  }, 60_000);

  it('settles all there is at every interval, and once more when it is told to end', async () => {
    const [a, b, c] = [record('a'), record('b'), record('c')];
    await save(a);
    const abort = new AbortController();
    const first = new Promise<void>((resolve) => {
      sender.answers.append = () => void resolve();
    });
    const running = settler.run(1, abort.signal);
    await first;
    abort.abort();
    await running;
    expect(await settlementOf(a)).not.toBe(null);
    await save(b);
    await settler.run(60_000, AbortSignal.abort());
    expect(await settlementOf(b)).toBe(null);
    await save(c);
    const ending = new AbortController();
    const last = settler.run(60_000, ending.signal);
    ending.abort();
    await last;
    expect(await settlementOf(b)).toBe(rootOf());
  });

  it('settles at once when a payer asks to close its channel', async () => {
    await promise(1n, 500n);
    const one = record('a');
    await save(one);
    const abort = new AbortController();
    const sent = new Promise<void>((resolve) => {
      sender.answers.settleChannels = () => void resolve();
    });
    const running = settler.run(3_600_000, abort.signal);
    tell(view, event('ChannelCloseRequested', { channelId: 1n, closableAt: 9n }));
    await sent;
    abort.abort();
    await running;
    expect(await settlementOf(one)).toBe(rootOf());
  });
});
