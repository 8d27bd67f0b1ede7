import type { ChainEvent } from '@openledger/event-log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseModel,
  batch,
  byRole,
  channelSettled,
  contribution,
  event,
  jobSettled,
  output,
  people,
  play,
  training,
} from '../../test/scenario.ts';
import { SETTLEMENT_PAGE } from './creditSink.ts';

const given = [baseModel(1n), contribution(1n, people.ana), contribution(2n, people.bo)];
const channel = { channel: 1n };
const then = (...events: ChainEvent[][]) => play([...given, ...events.flat()]);
const answer = (rows: Record<string, bigint>, amount = 10_000n) =>
  batch(0n, [output(channel, { id: 1, model: 1n, rows })], [channelSettled(amount)]);

describe('a settled channel', () => {
  it('is divided between owner, runner, contributors by evidence, and the runner as its own staker', () => {
    const { credits, state } = then(answer({ 1: 3n, 2: 1n }));
    expect(byRole(credits)).toEqual({
      'owner:owner': 3000n,
      'runner:runner': 3000n,
      'contributors:ana': 2250n,
      'contributors:bo': 750n,
      'stakers:runner': 1000n,
    });
    expect(state.settled).toBe(10_000n);
    expect(credits.find(({ account }) => account === people.ana)).toMatchObject({
      receipt: { batch: 0, page: 0, output: 0 },
      cluster: 1,
    });
  });

  it('is laid along several outputs by their fee weights, those of unknown models refunded', () => {
    const outputs = [
      output(channel, { id: 1, model: 1n, weight: 3n }),
      output(channel, { id: 2, model: 2n, weight: 1n }),
      output(channel, { id: 3, model: 99n, weight: 4n }),
      output({ channel: 7n }, { id: 4, model: 2n }),
      output({ job: 1n }, { id: 5, model: 2n }),
    ];
    const { credits } = then([baseModel(2n, people.staker)], batch(0n, outputs, [channelSettled(2000n)]));
    expect(byRole(credits.filter(({ role }) => role === 'owner' || role === 'refund'))).toEqual({
      'owner:owner': 225n,
      'owner:staker': 75n,
      'refund:payer': 1000n,
    });
    expect(new Set(credits.map(({ receipt }) => receipt.output))).toEqual(new Set([0, 1, 2]));
  });

  it('uses the split that its version names', () => {
    const split = { version: 2, owner: 0, runner: 5000, contributors: 2500, stakers: 0, platform: 2500 };
    const settled = [channelSettled(100n, { splitVersion: 2 })];
    const { credits } = then(
      [event('SplitSet', split)],
      batch(0n, [output(channel, { id: 1, model: 1n, rows: { 1: 1n } })], settled),
    );
    expect(byRole(credits)).toEqual({ 'runner:runner': 50n, 'contributors:ana': 25n, 'platform:platform': 25n });
  });

  it.each([
    ['its pages were rejected', []],
    ['no output weighs anything', [output(channel, { id: 1, model: 1n, weight: 0n })]],
    ['the outputs are those of others', [output({ channel: 2n }, { id: 1, model: 1n })]],
  ])('goes back to the payer when %s', (_why, outputs) => {
    const { credits, state } = then(batch(0n, outputs, [channelSettled(70n), channelSettled(7n)]));
    expect(credits).toEqual([
      {
        account: people.payer,
        role: 'refund',
        amount: 77n,
        receipt: { batch: 0, page: SETTLEMENT_PAGE, output: 0 },
        cluster: 0,
      },
    ]);
    expect(state.settled).toBe(77n);
  });

  it('is not paid for an output with more rows than a dispute can look up', () => {
    const rows = Object.fromEntries(Array.from({ length: 513 }, (_, i) => [i + 1, 1n]));
    expect(byRole(then(answer(rows, 50n)).credits)).toEqual({ 'refund:payer': 50n });
  });

  it('is not paid for a page that is too long to be read on chain', () => {
    const outputs = Array.from({ length: 300 }, (_, id) => output(channel, { id, model: 1n }));
    const [appended, ...rest] = batch(0n, outputs, [channelSettled(50n)]);
    const short = [appended as ChainEvent, ...rest];
    expect(byRole(then(short).credits)['refund:payer']).toBeUndefined();
    const long = rest.map((item) =>
      item.type === 'PageRecorded' ? { ...item, args: { ...item.args, data: new Uint8Array(6_147).fill(1) } } : item,
    ) as ChainEvent[];
    const first = long.findIndex(({ type }) => type === 'PageRecorded');
    for (const item of long) if (item.type === 'PageRecorded') item.args.data[1] = 0;
    expect(byRole(then([appended as ChainEvent, long[first] as ChainEvent, channelSettled(50n)(0n)]).credits)).toEqual({
      'refund:payer': 50n,
    });
  });
});

describe('contributors', () => {
  const trained = training(1n, 5n, 0n, { 1: 1n, 2: 3n });
  const answered = (rows: Record<string, bigint> = {}) =>
    batch(1n, [output(channel, { id: 1, model: 5n, rows })], [channelSettled(1000n)]);

  it('are those of the training when an answer of the adapter has no evidence', () => {
    expect(byRole(then(trained, answered()).credits)).toMatchObject({
      'contributors:ana': 75n,
      'contributors:bo': 225n,
    });
    // Rows that name nobody are no lack of rows: what a dispute reads has to be bounded.
    expect(byRole(then(trained, answered({ 404: 9n })).credits)).toMatchObject({ 'contributors:payer': 300n });
  });

  it('are those of the evidence when there is any', () => {
    expect(byRole(then(trained, answered({ 1: 1n })).credits)['contributors:ana']).toBe(300n);
  });

  it.each([
    ['has no training', {}],
    ['names only contributions that are not accepted', { 404: 1n }],
  ])('leave their part to the owner when the model %s', (_why, rows) => {
    expect(byRole(then(answer(rows, 1000n)).credits)).toMatchObject({
      'owner:owner': 300n,
      'contributors:owner': 300n,
    });
  });

  it('of an answer without evidence are drawn from the outputs of a long training in proportion', () => {
    const job = { job: 1n };
    const outputs = [
      output(job, { id: 1, model: 1n, weight: 3n, rows: { 1: 1n } }),
      output(job, { id: 2, model: 1n, weight: 1n, rows: { 2: 1n } }),
    ];
    const events = [
      event('JobRequested', { jobId: 1n, requester: people.payer, modelId: 1n }),
      event('AdapterRegistered', { modelId: 5n, owner: people.payer, jobId: 1n, parentId: 1n }),
      ...batch(0n, outputs, [jobSettled(1n, 0n)]),
    ];
    const answers = Array.from({ length: 400 }, (_, id) => output(channel, { id: 10 + id, model: 5n }));
    const sums = byRole(then(events, batch(1n, answers, [channelSettled(4_000_000n)])).credits);
    const share = Number(sums['contributors:ana']) / 1_200_000;
    expect(share).toBeGreaterThan(0.68);
    expect(share).toBeLessThan(0.82);
  });
});

describe('a settled job', () => {
  it('pays the parent model, the runner and whose data was trained on', () => {
    expect(byRole(then(training(1n, 5n, 0n, { 1: 1n, 2: 1n }, 1000n)).credits)).toEqual({
      'owner:owner': 300n,
      'runner:runner': 300n,
      'contributors:ana': 150n,
      'contributors:bo': 150n,
      'stakers:runner': 100n,
    });
  });

  it('goes back to who requested it when its batch was rejected', () => {
    const requested = event('JobRequested', { jobId: 1n, requester: people.payer });
    expect(byRole(then([requested], batch(0n, [], [jobSettled(1n, 50n)])).credits)).toEqual({ 'refund:payer': 50n });
  });
});

describe('owners and stakers', () => {
  const settle = (index: bigint) =>
    batch(index, [output(channel, { id: Number(index), model: 1n })], [channelSettled(1000n)]);
  const bond = (amount: bigint) => event('BondChanged', { runner: people.runner, bond: amount });
  const stake = (amount: bigint, runner: `0x${string}` = people.runner) =>
    event('StakeChanged', { staker: people.staker, runner, stake: amount });
  const transfer = event('ModelOwnershipTransferred', { modelId: 1n, from: people.owner, to: people.bo });

  it('are all of the model’s line, each generation with a fifth of what its child gets', () => {
    const adapter = (modelId: bigint, parentId: bigint, owner: `0x${string}`) =>
      event('AdapterRegistered', { modelId, owner, jobId: modelId, parentId });
    const line = [adapter(2n, 1n, people.ana), adapter(3n, 2n, people.bo)];
    const answers = [output(channel, { id: 1, model: 3n, rows: { 1: 1n } })];
    expect(byRole(play([...given, ...line], batch(0n, answers, [channelSettled(1000n)])).credits)).toMatchObject({
      'owner:bo': 240n,
      'lineage:ana': 48n,
      'lineage:owner': 12n,
    });
    // Ever finer refinements of one's own model take nothing from the base but its share of each.
    const deep = Array.from({ length: 9 }, (_, i) => adapter(BigInt(i + 2), BigInt(i + 1), people.bo));
    const last = [output(channel, { id: 2, model: 10n, rows: { 1: 1n } })];
    const { credits } = play([...given, ...deep], batch(0n, last, [channelSettled(10n ** 18n)]));
    expect(byRole(credits)['owner:bo']).toBe(240_000_000_000_000_000n);
    expect(credits.filter(({ role }) => role === 'lineage')).toHaveLength(7);
    expect(byRole(credits)['lineage:owner']).toBeUndefined();
  });

  it('are those at the end of the settlement’s block', () => {
    expect(byRole(play(given, settle(0n), [transfer], settle(1n)).credits)).toMatchObject({
      'owner:owner': 300n,
      'owner:bo': 300n,
    });
    // In one block the order doesn't count: a contract can look up a block's end, but nothing within it.
    expect(byRole(play(given, [...settle(0n), transfer]).credits)).toMatchObject({ 'owner:bo': 300n });
  });

  it('share the stakers part by bond and delegated stake, until they leave', () => {
    const { credits } = play(given, [bond(1n), stake(3n), ...settle(0n)], [stake(0n), ...settle(1n)]);
    expect(byRole(credits)).toMatchObject({ 'stakers:runner': 125n, 'stakers:staker': 75n });
  });

  it('of another runner are not paid', () => {
    expect(byRole(play(given, [stake(9n, people.bo), ...settle(0n)]).credits)).toMatchObject({
      'stakers:runner': 100n,
    });
  });
});

describe('splitting and copying', () => {
  const weight = fc.bigInt({ min: 1n, max: 10n ** 6n });
  const rows = fc.array(weight, { minLength: 1, maxLength: 6 });
  const amount = fc.bigInt({ min: 0n, max: 10n ** 20n });
  const who = (i: number): `0x${string}` => `0x${(i + 1).toString(16).padStart(40, 'a')}`;
  const named = (weights: readonly bigint[], from = 1) =>
    Object.fromEntries(weights.map((value, i) => [from + i, value]));
  const pay = (contributors: readonly ChainEvent[], all: Record<string, bigint>, fee: bigint) =>
    play([
      baseModel(1n),
      ...contributors,
      ...batch(0n, [output(channel, { id: 1, model: 1n, rows: all })], [channelSettled(fee)]),
    ]).credits.filter(({ role }) => role === 'contributors');
  const sum = (credits: readonly { amount: bigint }[]) => credits.reduce((all, credit) => all + credit.amount, 0n);

  it('earns nothing by splitting an identity: to the wei', () => {
    fc.assert(
      fc.property(rows, fc.nat(63), amount, (weights, split, fee) => {
        const one = weights.map((_, i) => contribution(BigInt(i + 1), split & (1 << i) ? people.ana : people.bo));
        const many = weights.map((_, i) => contribution(BigInt(i + 1), split & (1 << i) ? who(i) : people.bo));
        const anas = pay(one, named(weights), fee).filter(({ account }) => account === people.ana);
        const theirs = pay(many, named(weights), fee).filter(({ account }) => account !== people.bo);
        expect(sum(theirs)).toBe(sum(anas));
      }),
    );
  });

  it('earns nothing by copying: neither the copier nor, for a copy that is no better, anybody', () => {
    fc.assert(
      fc.property(rows, fc.nat(), weight, amount, (weights, at, copied, fee) => {
        const original = (at % weights.length) + 1;
        const originals = weights.map((_, i) => contribution(BigInt(i + 1), who(i)));
        const copy = contribution(99n, people.ana, BigInt(original));
        const before = pay(originals, named(weights), fee);
        const after = pay([...originals, copy], { ...named(weights), 99: copied }, fee);
        expect(after.filter(({ account }) => account === people.ana)).toEqual([]);
        if (copied <= (weights[original - 1] as bigint)) {
          expect(after.map(({ account, amount: got }) => [account, got])).toEqual(
            before.map(({ account, amount: got }) => [account, got]),
          );
        }
        expect(sum(after)).toBe(sum(before));
      }),
    );
  });
});

describe('any history', () => {
  const who = fc.constantFrom(...Object.values(people));
  const id = fc.bigInt({ min: 0n, max: 4n });
  const amount = fc.bigInt({ min: 0n, max: 10n ** 24n });
  const rows = fc.dictionary(fc.constantFrom('0', '1', '2', '3', '9'), fc.bigInt({ min: 1n, max: 10n ** 9n }));
  const source = fc.constantFrom({ channel: 1n }, { channel: 2n }, { job: 1n });
  const outputs = fc.array(fc.record({ model: id, weight: fc.bigInt({ min: 0n, max: 1000n }), rows, source }), {
    maxLength: 4,
  });
  const settlement = fc.record({
    outputs,
    amounts: fc.array(amount, { minLength: 1, maxLength: 3 }),
    job: fc.boolean(),
  });
  const change = fc.oneof(
    fc.tuple(id, who).map(([n, account]) => baseModel(n, account)),
    fc.tuple(fc.bigInt({ min: 1n, max: 4n }), who).map(([n, account]) => contribution(n, account)),
    fc.tuple(id, who).map(([modelId, to]) => event('ModelOwnershipTransferred', { modelId, to })),
    fc.tuple(who, amount).map(([runner, bond]) => event('BondChanged', { runner, bond })),
    fc.tuple(who, amount).map(([staker, stake]) => event('StakeChanged', { staker, runner: people.runner, stake })),
    fc.tuple(id, who).map(([jobId, requester]) => event('JobRequested', { jobId, requester })),
    fc.tuple(id, id).map(([jobId, modelId]) => event('AdapterRegistered', { jobId, modelId, owner: people.bo })),
  );

  it('pays out exactly what was settled, to the wei', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(change, settlement), { maxLength: 40 }), (history) => {
        let settled = 0n;
        const blocks = history.map((item, index): ChainEvent[] => {
          if ('type' in item) return [item];
          settled += item.amounts.reduce((a, b) => a + b, 0n);
          const made = item.outputs.map((o, i) => output(o.source, { id: index * 10 + i, ...o }));
          const settle = item.amounts.map((value, i) =>
            item.job ? jobSettled(1n, value) : channelSettled(value, { channelId: BigInt(1 + (i % 2)) }),
          );
          return batch(BigInt(index), made, settle);
        });
        const { state, credits } = play(...blocks);
        expect(credits.reduce((a, credit) => a + credit.amount, 0n)).toBe(settled);
        expect(state.settled).toBe(settled);
        expect(credits.every((credit) => credit.amount > 0n)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
