import { networkOf, type Payment, paymentSchemes, signVoucher } from '@openledger/client';
import { outputIdOf } from '@openledger/contracts';
import { silentLogger } from '@openledger/kit';
import fc from 'fast-check';
import type { Hex } from 'viem';
import { expect, it } from 'vitest';
import { RunnerView } from '../src/chain/runnerView.ts';
import type { OutputRecord } from '../src/gateway/outputs.ts';
import { type Hold, Payments } from '../src/gateway/payments.ts';
import { Settler } from '../src/gateway/settler.ts';
import { CHAIN_ID, hashOf, payer, runner } from './support/chainEvents.ts';
import { useDatabase } from './support/database.ts';
import { type Fate, ModelChain } from './support/modelChain.ts';
import { keepOutput, outputRecord } from './support/outputs.ts';

const database = useDatabase();

type Step =
  | { do: 'open' | 'topUp'; pick: number; amount: bigint }
  | { do: 'call'; pick: number; signed: bigint; maxCost: bigint }
  | { do: 'answer'; pick: number; part: number }
  | { do: 'fail' | 'requestClose' | 'close'; pick: number }
  | { do: 'settle'; fate: Fate }
  | { do: 'decide'; lands: boolean }
  | { do: 'deliver' | 'restart' };

const pick = fc.nat(20);
const amount = fc.bigInt({ min: 1n, max: 1_000n });
const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(1, fc.record({ do: fc.constantFrom('open' as const, 'topUp' as const), pick, amount })),
  weighted(
    6,
    fc.record({ do: fc.constant('call' as const), pick, signed: fc.bigInt(0n, 1_500n), maxCost: fc.bigInt(0n, 60n) }),
  ),
  weighted(6, fc.record({ do: fc.constant('answer' as const), pick, part: fc.nat(100) })),
  weighted(1, fc.record({ do: fc.constantFrom('fail' as const, 'requestClose' as const, 'close' as const), pick })),
  weighted(
    3,
    fc.record({
      do: fc.constant('settle' as const),
      fate: fc.constantFrom<Fate>('lands', 'lands', 'unheard', 'waits', 'waits', 'replaced'),
    }),
  ),
  weighted(2, fc.record({ do: fc.constant('decide' as const), lands: fc.boolean() })),
  weighted(
    4,
    fc.record({ do: fc.constantFrom('deliver' as const, 'deliver' as const, 'deliver' as const, 'restart' as const) }),
  ),
);

/** A runner, its payer and the chain, stepped by hand. */
class Play {
  readonly chain = new ModelChain();
  readonly view = new RunnerView();
  readonly running: { hold: Hold; maxCost: bigint }[] = [];
  readonly served = new Map<Hex, OutputRecord>();
  payments = this.#payments();
  settler = this.#settler();

  #payments(): Payments {
    const options = { database: database(), view: this.view, runner: runner.address, chainId: CHAIN_ID };
    return new Payments({ ...options, now: () => 0 });
  }

  #settler(): Settler {
    return new Settler({ database: database(), view: this.view, transactor: this.chain, log: silentLogger });
  }

  /** Calls that were running end with the process. */
  restart(): void {
    this.running.length = 0;
    this.payments = this.#payments();
    this.settler = this.#settler();
  }

  async call(index: number, signed: bigint, maxCost: bigint): Promise<void> {
    const channel = this.chain.channels[index];
    if (!channel) return;
    const channelId = BigInt(index + 1);
    const voucher = await signVoucher(payer, CHAIN_ID, { channelId, cumulativeAmount: signed });
    if (signed > channel.signed) channel.signed = signed;
    const payment: Payment = { scheme: paymentSchemes.channel, network: networkOf(CHAIN_ID), voucher };
    const hold = await this.payments.reserve(payment, maxCost, hashOf('body')).catch((error) => {
      if (!/^PAYMENT_/.test(error.code)) throw error;
    });
    if (hold) this.running.push({ hold, maxCost });
  }

  async end(index: number, part: number | undefined): Promise<void> {
    const [call] = this.running.splice(index, 1);
    if (!call) return;
    const { hold, maxCost } = call;
    if (part === undefined) return hold.release();
    const cost = (maxCost * BigInt(part)) / 100n;
    const made = outputRecord('output', {
      sourceId: hold.source.id.toString(),
      nonce: hold.takeNonce().toString(),
      cost: cost.toString(),
    });
    const { promptHash, outputHash } = made;
    const numbers = { modelId: BigInt(made.modelId), sourceKind: 2 as const, nonce: BigInt(made.nonce) };
    const record = { ...made, outputId: outputIdOf({ ...numbers, sourceId: hold.source.id, promptHash, outputHash }) };
    await keepOutput(database(), record);
    hold.release(cost);
    this.served.set(record.outputId, record);
  }

  async settle(fate: Fate): Promise<void> {
    this.chain.fate = fate;
    await this.settler.settleOnce().catch((error) => {
      if (error.code !== 'CHAIN_UNAVAILABLE' && error.code !== 'TRANSACTION_REVERTED') throw error;
    });
    this.chain.fate = 'lands';
  }

  async take(one: Step): Promise<void> {
    const { channels } = this.chain;
    const of = (count: number) => ('pick' in one && count > 0 ? one.pick % count : 0);
    switch (one.do) {
      case 'open':
        return this.chain.open(one.amount);
      case 'topUp':
        return this.chain.topUp(of(channels.length), one.amount);
      case 'requestClose':
        return this.chain.requestClose(of(channels.length));
      case 'close':
        return this.chain.close(of(channels.length));
      case 'call':
        return this.call(of(channels.length), one.signed, one.maxCost);
      case 'answer':
        return this.end(of(this.running.length), one.part);
      case 'fail':
        return this.end(of(this.running.length), undefined);
      case 'settle':
        return this.settle(one.fate);
      case 'decide':
        return this.chain.decide(one.lands);
      case 'deliver':
        return this.chain.deliver(this.view);
      case 'restart':
        return this.restart();
    }
  }

  costOn(index: number): bigint {
    const id = `${index + 1}`;
    const done = [...this.served.values()].filter(({ sourceId }) => sourceId === id);
    return done.reduce((sum, { cost }) => sum + BigInt(cost), 0n);
  }

  check(): void {
    for (const [index, channel] of this.chain.channels.entries()) {
      const running = this.running
        .filter(({ hold }) => hold.source.id === BigInt(index + 1))
        .reduce((sum, { maxCost }) => sum + maxCost, 0n);
      expect(channel.settled, 'the payer pays no more than it signed').toBeLessThanOrEqual(channel.signed);
      expect(channel.settled, 'nor than was served').toBeLessThanOrEqual(this.costOn(index));
      expect(this.costOn(index) + running, 'nothing is served that is not covered').toBeLessThanOrEqual(channel.signed);
      expect(this.costOn(index) + running).toBeLessThanOrEqual(channel.deposit);
      if (channel.closed) expect(channel.settled + channel.refunded, 'what came in went out').toBe(channel.deposit);
    }
    for (const times of this.chain.recorded.values()) expect(times, 'an output is recorded once').toBe(1);
  }
}

it('channels: paid is what was served, served is what was signed, whatever happens in between', async () => {
  const seen = { settled: 0n, closed: 0, outputs: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 70, size: 'max' }), async (steps) => {
      await database().query('TRUNCATE runner.served, runner.sources, runner.settlements, runner.transcripts');
      const play = new Play();
      play.view.ready = true;
      play.chain.open(1_000n);
      play.chain.deliver(play.view);
      for (const one of steps) {
        await play.take(one);
        play.check();
      }
      // In the end everything is heard of and settled: each output is on chain, each open channel paid for all of its own.
      play.restart();
      for (let round = 0; round < 20; round++) {
        play.chain.decide(true);
        play.chain.deliver(play.view);
        await play.settle('lands');
      }
      play.check();
      for (const [index, { closed, settled }] of play.chain.channels.entries()) {
        if (!closed) expect(settled).toBe(play.costOn(index));
        seen.settled += settled;
        seen.closed += Number(closed);
      }
      expect([...play.chain.recorded.keys()].sort()).toEqual([...play.served.keys()].sort());
      seen.outputs += play.served.size;
    }),
    { numRuns: 100, seed: Number(process.env.FC_SEED ?? 11) },
  );
  // A generator that never gets anywhere would prove nothing.
  expect(seen.settled).toBeGreaterThan(3_000n);
  expect(seen.closed).toBeGreaterThan(3);
  expect(seen.outputs).toBeGreaterThan(100);
}, 240_000);
