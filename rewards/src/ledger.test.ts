import type { ChainEvent } from '@openledger/event-log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseModel,
  byRole,
  channelSettled,
  contribution,
  event,
  jobSettled,
  output,
  outputId,
  people,
  play,
  training,
} from '../test/scenario.ts';

const given = [baseModel(1n), contribution(1n, people.ana), contribution(2n, people.bo)];
const channel = { channel: 1n };
const then = (...events: (ChainEvent | ChainEvent[])[]) => play([...given, ...events.flat()]);

describe('a settled channel', () => {
  it('is divided between owner, runner, contributors by evidence, and the runner as its own staker', () => {
    const { credits, state } = then(
      output(0n, channel, { id: 1, model: 1n, rows: { 1: 3n, 2: 1n } }),
      channelSettled(0n, 10_000n),
    );
    expect(byRole(credits)).toEqual({
      'owner:owner': 3000n,
      'runner:runner': 3000n,
      'contributors:ana': 2250n,
      'contributors:bo': 750n,
      'stakers:runner': 1000n,
    });
    expect(state.settled).toBe(10_000n);
  });

  it('tells for each credit what it is for', () => {
    const { credits } = then(output(0n, channel, { id: 1, model: 1n, rows: { 1: 1n } }), channelSettled(0n, 100n));
    expect(credits.find(({ role }) => role === 'contributors')).toEqual({
      account: people.ana,
      role: 'contributors',
      amount: 30n,
      settlement: 'channel 1',
      outputId: outputId(1),
      contributionIds: [1n],
    });
  });

  it('sums the contributions of one person, and names all of them', () => {
    const { credits } = then(
      contribution(3n, people.ana),
      output(0n, channel, { id: 1, model: 1n, rows: { 1: 1n, 2: 1n, 3: 1n } }),
      channelSettled(0n, 100n),
    );
    const ana = credits.filter(({ account }) => account === people.ana);
    expect(ana).toMatchObject([{ amount: 20n, contributionIds: [1n, 3n] }]);
  });

  it('is divided over several outputs by their fee weights', () => {
    const { credits } = then(
      baseModel(2n, people.staker),
      output(0n, channel, { id: 1, model: 1n, weight: 3n }),
      output(0n, channel, { id: 2, model: 2n, weight: 1n }),
      channelSettled(0n, 1000n),
    );
    const owners = credits.filter(({ role }) => role === 'owner').map(({ account, amount }) => [account, amount]);
    expect(owners).toEqual([
      [people.owner, 225n],
      [people.staker, 75n],
    ]);
  });

  it('counts only the outputs of its own batch and channel', () => {
    const { credits } = then(
      baseModel(2n, people.staker),
      output(0n, { channel: 7n }, { id: 1, model: 2n }),
      output(0n, { job: 1n }, { id: 2, model: 2n }),
      output(1n, channel, { id: 3, model: 2n }),
      output(0n, channel, { id: 4, model: 1n }),
      channelSettled(0n, 100n),
    );
    expect(new Set(credits.map((credit) => credit.outputId))).toEqual(new Set([outputId(4)]));
  });

  it('uses the split that its version names', () => {
    const split = { version: 2, owner: 0, runner: 5000, contributors: 2500, stakers: 0, platform: 2500 };
    const { credits } = then(
      event('SplitSet', split),
      output(0n, channel, { id: 1, model: 1n, rows: { 1: 1n } }),
      channelSettled(0n, 100n, 2),
    );
    expect(byRole(credits)).toEqual({ 'runner:runner': 50n, 'contributors:ana': 25n, 'platform:platform': 25n });
  });

  it.each([
    ['its batch was rejected', [event('BatchRejected', { batchIndex: 0n, runner: people.runner, reason: 'NOT_RLP' })]],
    ['its model is unknown', output(0n, channel, { id: 1, model: 99n })],
    ['no output weighs anything', output(0n, channel, { id: 1, model: 1n, weight: 0n })],
  ])('goes back to the payer when %s', (_why, events) => {
    const { credits, state } = then(events, channelSettled(0n, 77n));
    expect(byRole(credits)).toEqual({ 'refund:payer': 77n });
    expect(state.settled).toBe(77n);
  });
});

describe('contributors', () => {
  const trained = training(1n, 5n, 0n, { 1: 1n, 2: 3n });

  it('are those of the training when an answer of the adapter has no evidence', () => {
    const { credits } = then(
      trained,
      jobSettled(1n, 0n, 0n),
      output(1n, channel, { id: 1, model: 5n }),
      channelSettled(1n, 1000n),
    );
    expect(byRole(credits)).toMatchObject({ 'contributors:ana': 75n, 'contributors:bo': 225n });
  });

  it('are those of the evidence when there is any', () => {
    const { credits } = then(
      trained,
      jobSettled(1n, 0n, 0n),
      output(1n, channel, { id: 1, model: 5n, rows: { 1: 1n } }),
      channelSettled(1n, 1000n),
    );
    expect(byRole(credits)['contributors:ana']).toBe(300n);
  });

  it.each([
    ['has no training', {}],
    ['names only contributions that do not exist', { 404: 1n }],
  ])('leave their part to the owner when the model %s', (_why, rows) => {
    const { credits } = then(output(0n, channel, { id: 1, model: 1n, rows }), channelSettled(0n, 1000n));
    expect(byRole(credits)).toMatchObject({ 'owner:owner': 300n, 'contributors:owner': 300n });
  });
});

describe('a settled job', () => {
  it('pays the parent model, the runner and whose data was trained on', () => {
    const { credits } = then(training(1n, 5n, 0n, { 1: 1n, 2: 1n }), jobSettled(1n, 0n, 1000n));
    expect(byRole(credits)).toEqual({
      'owner:owner': 300n,
      'runner:runner': 300n,
      'contributors:ana': 150n,
      'contributors:bo': 150n,
      'stakers:runner': 100n,
    });
  });

  it('goes back to who requested it when its batch was rejected', () => {
    const { credits } = then(event('JobRequested', { jobId: 1n, requester: people.payer }), jobSettled(1n, 0n, 50n));
    expect(byRole(credits)).toEqual({ 'refund:payer': 50n });
  });
});

describe('owners and stakers', () => {
  const settle = (batch: bigint) =>
    [output(batch, channel, { id: Number(batch), model: 1n }), channelSettled(batch, 1000n)].flat();

  it('are those at the time of the settlement', () => {
    const transfer = event('ModelOwnershipTransferred', { modelId: 1n, from: people.owner, to: people.bo });
    const { credits } = then(settle(0n), transfer, settle(1n));
    expect(byRole(credits)).toMatchObject({ 'owner:owner': 300n, 'owner:bo': 300n });
  });

  const bond = (amount: bigint) => event('BondChanged', { runner: people.runner, bond: amount });
  const stake = (amount: bigint) =>
    event('StakeChanged', { staker: people.staker, runner: people.runner, stake: amount });

  it('share the stakers part by bond and delegated stake', () => {
    expect(byRole(then(bond(1n), stake(3n), settle(0n)).credits)).toMatchObject({
      'stakers:runner': 25n,
      'stakers:staker': 75n,
    });
  });

  it('get nothing after they have left', () => {
    const { credits } = then(bond(1n), stake(3n), stake(0n), settle(0n));
    expect(byRole(credits)).toMatchObject({ 'stakers:runner': 100n });
    expect(byRole(credits)['stakers:staker']).toBeUndefined();
  });

  it('of another runner are not paid', () => {
    const elsewhere = event('StakeChanged', { staker: people.staker, runner: people.bo, stake: 9n });
    expect(byRole(then(elsewhere, settle(0n)).credits)).toMatchObject({ 'stakers:runner': 100n });
  });
});

describe('any history', () => {
  const who = fc.constantFrom(...Object.values(people));
  const id = fc.bigInt({ min: 0n, max: 4n });
  const amount = fc.bigInt({ min: 0n, max: 10n ** 24n });
  const rows = fc.dictionary(fc.constantFrom('0', '1', '2', '3', '9'), fc.bigInt({ min: 1n, max: 10n ** 9n }));
  const outputs = fc.array(fc.record({ model: id, weight: fc.bigInt({ min: 0n, max: 1000n }), rows }), {
    maxLength: 3,
  });
  const settlement = fc.record({
    outputs,
    amount,
    kind: fc.constantFrom('job', 'channel'),
    version: fc.integer({ min: 1, max: 3 }),
  });
  const change = fc.oneof(
    fc.tuple(id, who).map(([n, account]) => baseModel(n, account)),
    fc.tuple(id, who).map(([n, account]) => contribution(n, account)),
    fc.tuple(id, who).map(([modelId, to]) => event('ModelOwnershipTransferred', { modelId, to })),
    fc.tuple(who, amount).map(([runner, bond]) => event('BondChanged', { runner, bond })),
    fc.tuple(who, amount).map(([staker, stake]) => event('StakeChanged', { staker, runner: people.runner, stake })),
    fc.tuple(id, who).map(([jobId, requester]) => event('JobRequested', { jobId, requester })),
    fc.tuple(id, id).map(([jobId, modelId]) => event('AdapterRegistered', { jobId, modelId, owner: people.bo })),
    fc
      .integer({ min: 0, max: 10_000 })
      .map((owner) =>
        event('SplitSet', { version: 2, owner, runner: 10_000 - owner, contributors: 0, stakers: 0, platform: 0 }),
      ),
  );

  it('pays out exactly what was settled, to the wei', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(change, settlement), { maxLength: 40 }), (history) => {
        let settled = 0n;
        const events = history.flatMap((item, index): ChainEvent[] => {
          if ('type' in item) return [item];
          settled += item.amount;
          const batch = BigInt(index);
          const source = item.kind === 'job' ? { job: 1n } : channel;
          const recorded = item.outputs.flatMap((o, i) => output(batch, source, { id: index * 10 + i, ...o }));
          const end =
            item.kind === 'job' ? jobSettled(1n, batch, item.amount) : channelSettled(batch, item.amount, item.version);
          return [...recorded, end];
        });
        const { state, credits } = play(events);
        const owed = [...state.entitlements.values()];
        expect(owed.reduce((a, b) => a + b, 0n)).toBe(settled);
        expect(credits.reduce((a, credit) => a + credit.amount, 0n)).toBe(settled);
        expect(state.settled).toBe(settled);
        expect(owed.every((value) => value >= 0n)).toBe(true);
      }),
    );
  });
});
