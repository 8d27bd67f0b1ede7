import { parseEther } from 'viem';
import { describe, expect, it } from 'vitest';
import { settlementsHash } from '../ts/page/pagesTree.ts';
import { isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  carol,
  createActor,
  deploySystem,
  hashOf,
  MIN_BOND,
  otherRunner,
  page,
  receiveModes,
  registerBase,
  runner,
} from './support/system.ts';

const chain = await startChain();
const system = await deploySystem(chain);
const { jobs, ledger, rewards, staking } = system;
const modelId = await registerBase(system, carol);
isolateTests(chain);

const ESCROW = parseEther('1');
const HASH = hashOf('request');
const DURATION = 600n;
const requestArgs = [modelId, runner, HASH, 100, DURATION] as const;
const commitArgs = (...costs: { jobId: bigint; amount: bigint }[]) => [costs, [page]] as const;

const request = async (payer = alice, escrow = ESCROW) =>
  jobs.event(await jobs.send(payer, 'requestInference', requestArgs, escrow), 'InferenceRequested').jobId;

describe('requestInference', () => {
  it('holds the escrow for one runner and one request', async () => {
    const receipt = await jobs.send(alice, 'requestInference', requestArgs, ESCROW);
    const deadline = (await chain.now()) + DURATION;
    expect(jobs.event(receipt, 'InferenceRequested')).toEqual({
      jobId: 1n,
      payer: alice,
      runner,
      modelId,
      escrow: ESCROW,
      requestHash: HASH,
      maxTokens: 100,
      deadline,
    });
    const job = { payer: alice, status: 1, deadline, runner, maxTokens: 100, modelId, escrow: ESCROW };
    expect(await jobs.read('inferenceJob', [1n])).toEqual({ ...job, requestHash: HASH });
    expect(await jobs.read('totals', [])).toEqual([ESCROW, 0n, 0n, ESCROW]);
  });

  it('refuses no money, no model, no bonded runner, and durations out of range', async () => {
    const refuses = (args: typeof requestArgs | readonly unknown[], error: string, given: unknown[], value = ESCROW) =>
      jobs.refuses(alice, 'requestInference', args as typeof requestArgs, error, given, value);
    await refuses(requestArgs, 'ZeroAmount', [], 0n);
    await refuses([99n, runner, HASH, 100, DURATION], 'UnknownModel', [99n]);
    await refuses([modelId, bob, HASH, 100, DURATION], 'NotBondedRunner', [bob]);
    for (const duration of [59n, 604_801n]) {
      await refuses([modelId, runner, HASH, 100, duration], 'BadDuration', [duration, 60n, 604_800n]);
    }
  });
});

describe('commitInference', () => {
  it('settles what answers cost, gives the rest back, and binds both to the batch', async () => {
    const [a, b] = [await request(), await request(bob)];
    const before = [await chain.balance(alice), await chain.balance(bob)];
    const receipt = await jobs.send(
      runner,
      'commitInference',
      commitArgs({ jobId: a, amount: 10n }, { jobId: b, amount: 0n }),
    );
    const shared = { runner, batchIndex: 0n, splitVersion: 1 };
    expect(jobs.events(receipt, 'InferenceSettled')).toEqual([
      { jobId: a, payer: alice, amount: 10n, refund: ESCROW - 10n, ...shared },
      { jobId: b, payer: bob, amount: 0n, refund: ESCROW, ...shared },
    ]);
    const settlement = { sourceKind: 3, splitVersion: 1 };
    expect(ledger.event(receipt, 'BatchAppended')).toMatchObject({
      runner,
      settlementsHash: settlementsHash([
        { ...settlement, sourceId: a, payer: alice, amount: 10n },
        { ...settlement, sourceId: b, payer: bob, amount: 0n },
      ]),
    });
    expect(rewards.event(receipt, 'Funded')).toMatchObject({ amount: 10n, source: jobs.address });
    const after = [await chain.balance(alice), await chain.balance(bob)];
    expect(after.map((balance, i) => balance - (before[i] ?? 0n))).toEqual([ESCROW - 10n, ESCROW]);
    expect(await jobs.read('totals', [])).toEqual([2n * ESCROW, 10n, 2n * ESCROW - 10n, 0n]);
  });

  it('settles a job once, whatever comes later', async () => {
    const id = await request();
    const cost = { jobId: id, amount: 5n };
    await jobs.refuses(runner, 'commitInference', commitArgs(cost, cost), 'InferenceNotWaiting', [id, 2]);
    await jobs.send(runner, 'commitInference', commitArgs(cost));
    await jobs.refuses(runner, 'commitInference', commitArgs(cost), 'InferenceNotWaiting', [id, 2]);
    await chain.at((await chain.now()) + DURATION);
    await jobs.refuses(alice, 'refundInference', [id], 'InferenceNotWaiting', [id, 2]);
  });

  it('takes the escrow to the wei, of its own runner, at the top level', async () => {
    const id = await request();
    const refuses = (from: typeof runner, amount: bigint, error: string, given: unknown[]) =>
      jobs.refuses(from, 'commitInference', commitArgs({ jobId: id, amount }), error, given);
    await refuses(runner, ESCROW + 1n, 'CostOverEscrow', [id, ESCROW + 1n, ESCROW]);
    await refuses(otherRunner, 1n, 'NotInferenceRunner', [id, otherRunner]);
    await refuses(alice, 1n, 'NotBondedRunner', [alice]);
    await jobs.refuses(runner, 'commitInference', commitArgs({ jobId: 9n, amount: 1n }), 'UnknownJob', [9n]);
    await jobs.refuses(runner, 'commitInference', commitArgs(), 'NoInferenceCosts');
    const many = Array.from({ length: 257 }, () => ({ jobId: id, amount: 1n }));
    await jobs.refuses(runner, 'commitInference', commitArgs(...many), 'TooManyInferenceCosts', [257n, 256n]);
    const actor = await createActor(chain);
    const data = jobs.data('commitInference', commitArgs({ jobId: id, amount: 1n }));
    await actor.refuses(runner, 'execute', [jobs.address, 0n, data], 'NotTopLevel', [actor.address]);
    await jobs.send(runner, 'commitInference', commitArgs({ jobId: id, amount: ESCROW }));
    await staking.send(runner, 'requestUnbond', [MIN_BOND]);
    await refuses(runner, 1n, 'NotBondedRunner', [runner]);
  });

  it('still counts after the deadline, when nobody asked for the refund', async () => {
    const id = await request();
    await chain.at((await chain.now()) + 2n * DURATION);
    await jobs.send(runner, 'commitInference', commitArgs({ jobId: id, amount: 1n }));
  });

  it('is not stopped by a payer that takes no refund: it becomes a credit', async () => {
    const actor = await createActor(chain, ESCROW);
    await actor.send(bob, 'set', [bob, receiveModes.revert, bob, '0x']);
    await actor.send(bob, 'execute', [jobs.address, ESCROW, jobs.data('requestInference', requestArgs)]);
    await jobs.send(runner, 'commitInference', commitArgs({ jobId: 1n, amount: 1n }));
    expect(await jobs.read('creditOf', [actor.address])).toBe(ESCROW - 1n);
  });
});

describe('refundInference', () => {
  it('gives everything back: the runner at any time, others after the deadline', async () => {
    const [a, b] = [await request(), await request()];
    const { deadline } = await jobs.read('inferenceJob', [b]);
    for (const who of [alice, otherRunner]) {
      await jobs.refuses(who, 'refundInference', [b], 'DeadlineRunning', [b, deadline]);
    }
    const declined = await jobs.send(runner, 'refundInference', [a]);
    expect(jobs.event(declined, 'InferenceRefunded')).toEqual({ jobId: a, payer: alice, amount: ESCROW });
    await chain.at(deadline);
    await jobs.send(carol, 'refundInference', [b]);
    for (const id of [a, b]) {
      await jobs.refuses(alice, 'refundInference', [id], 'InferenceNotWaiting', [id, 3]);
      const late = commitArgs({ jobId: id, amount: 1n });
      await jobs.refuses(runner, 'commitInference', late, 'InferenceNotWaiting', [id, 3]);
    }
    expect(await jobs.read('totals', [])).toEqual([2n * ESCROW, 0n, 2n * ESCROW, 0n]);
  });
});
