import { type Hex, hexToBytes, keccak256, parseEther, stringToHex, zeroAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { pagesRoot, settlementsHash } from '../ts/page/pagesTree.ts';
import { isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  carol,
  createActor,
  deploySystem,
  evaluation,
  governance,
  hashOf,
  otherRunner,
  page,
  publishDatanet,
  registerBase,
  runner,
  suite,
} from './support/system.ts';

const chain = await startChain();
const system = await deploySystem(chain);
const { jobs, models, ledger, rewards, staking } = system;
const modelId = await registerBase(system, alice);
const datanetId = await publishDatanet(system, carol);
isolateTests(chain);

const FEE = parseEther('2');
const status = { requested: 1, claimed: 2, committed: 3, refunded: 4 };
const LEASE = 300n;
const DURATION = 3600n;

async function request(from = bob, duration = DURATION, fee = FEE) {
  const receipt = await jobs.send(from, 'requestTraining', [modelId, datanetId, 1, duration, '{"rank":8}'], fee);
  return jobs.event(receipt, 'JobRequested').jobId;
}

async function claimed(from = runner) {
  const jobId = await request();
  await jobs.send(from, 'claimJob', [jobId]);
  return jobId;
}

function result(name = 'tuned', suites = ['domain', 'general']) {
  return { weightsHash: hashOf(name), configHash: hashOf('config'), name, evaluations: suites.map(evaluation) };
}

const commitArgs = (jobId: bigint, attempt = 1, given = result()) => [jobId, attempt, given, [page]] as const;

describe('requestTraining', () => {
  it('puts the fee in escrow', async () => {
    const args = [modelId, datanetId, 1, DURATION, '{"rank":8}'] as const;
    const receipt = await jobs.send(bob, 'requestTraining', args, FEE);
    const now = await chain.now();
    expect(jobs.event(receipt, 'JobRequested')).toEqual({
      jobId: 1n,
      requester: bob,
      modelId,
      datanetId,
      datanetVersion: 1,
      fee: FEE,
      deadline: now + DURATION,
      params: '{"rank":8}',
    });
    expect(await jobs.read('job', [1n])).toEqual({
      requester: bob,
      status: status.requested,
      attempt: 0,
      requestedAt: now,
      leaseUntil: 0n,
      deadline: now + DURATION,
      runner: zeroAddress,
      datanetVersion: 1,
      modelId,
      datanetId,
      fee: FEE,
      paramsHash: keccak256(stringToHex('{"rank":8}')),
      resultHash: zeroHash,
    });
    expect(await jobs.read('totals', [])).toEqual([FEE, 0n, 0n, FEE]);
    expect(await chain.balance(jobs.address)).toBe(FEE);
  });

  it('refuses what can not be trained or paid', async () => {
    const refuses = (
      args: readonly [bigint, bigint, number, bigint, string],
      fee: bigint,
      error: string,
      with_: unknown[],
    ) => jobs.refuses(bob, 'requestTraining', args, error, with_, fee);
    await refuses([9n, datanetId, 1, DURATION, ''], FEE, 'UnknownModel', [9n]);
    await refuses([modelId, 9n, 1, DURATION, ''], FEE, 'UnknownDatanetVersion', [9n, 1]);
    await refuses([modelId, datanetId, 2, DURATION, ''], FEE, 'UnknownDatanetVersion', [datanetId, 2]);
    await refuses([modelId, datanetId, 0, DURATION, ''], FEE, 'UnknownDatanetVersion', [datanetId, 0]);
    await refuses([modelId, datanetId, 1, DURATION, ''], 9_999n, 'FeeTooLow', [9_999n, 10_000n]);
    await refuses([modelId, datanetId, 1, 299n, ''], FEE, 'BadDuration', [299n, 300n, 2_592_000n]);
    await refuses([modelId, datanetId, 1, 2_592_001n, ''], FEE, 'BadDuration', [2_592_001n, 300n, 2_592_000n]);
    await refuses([modelId, datanetId, 1, DURATION, 'x'.repeat(4097)], FEE, 'TextTooLong', [4097n, 4096n]);
    for (const duration of [300n, 2_592_000n]) {
      await jobs.send(bob, 'requestTraining', [modelId, datanetId, 1, duration, 'x'.repeat(4096)], 10_000n);
    }
  });
});

describe('leases', () => {
  it('are taken by bonded runners, one at a time', async () => {
    const jobId = await request();
    await jobs.refuses(alice, 'claimJob', [jobId], 'NotBondedRunner', [alice]);
    await jobs.refuses(runner, 'claimJob', [9n], 'UnknownJob', [9n]);
    const receipt = await jobs.send(runner, 'claimJob', [jobId]);
    const leaseUntil = (await chain.now()) + LEASE;
    expect(jobs.event(receipt, 'JobClaimed')).toEqual({ jobId, runner, attempt: 1, leaseUntil });
    expect(await jobs.read('job', [jobId])).toMatchObject({ status: status.claimed, attempt: 1, runner, leaseUntil });
    await jobs.refuses(otherRunner, 'claimJob', [jobId], 'LeaseRunning', [jobId, leaseUntil]);
    await chain.at(leaseUntil - 1n);
    await jobs.refuses(otherRunner, 'claimJob', [jobId], 'LeaseRunning', [jobId, leaseUntil]);
    await chain.at(leaseUntil);
    const taken = await jobs.send(otherRunner, 'claimJob', [jobId]);
    expect(jobs.event(taken, 'JobClaimed')).toMatchObject({ runner: otherRunner, attempt: 2 });
  });

  it('are renewed by their holder while they run', async () => {
    const jobId = await claimed();
    await jobs.refuses(otherRunner, 'renewLease', [jobId, 1], 'NotLeaseHolder', [jobId, otherRunner]);
    await jobs.refuses(runner, 'renewLease', [jobId, 2], 'WrongAttempt', [jobId, 2, 1]);
    await jobs.refuses(alice, 'renewLease', [jobId, 1], 'NotBondedRunner', [alice]);
    await jobs.refuses(runner, 'renewLease', [9n, 1], 'UnknownJob', [9n]);
    const { leaseUntil } = await jobs.read('job', [jobId]);
    await chain.next(leaseUntil - 1n);
    const receipt = await jobs.send(runner, 'renewLease', [jobId, 1]);
    const renewed = { jobId, runner, attempt: 1, leaseUntil: leaseUntil - 1n + LEASE };
    expect(jobs.event(receipt, 'LeaseRenewed')).toEqual(renewed);
    await chain.at(renewed.leaseUntil);
    await jobs.refuses(runner, 'renewLease', [jobId, 1], 'LeaseExpired', [jobId, renewed.leaseUntil]);
    await jobs.refuses(runner, 'failJob', [jobId, 1, false, ''], 'LeaseExpired', [jobId, renewed.leaseUntil]);
    await jobs.refuses(runner, 'commitTraining', commitArgs(jobId), 'LeaseExpired', [jobId, renewed.leaseUntil]);
    // The same runner again is a new attempt: what it computed for the first one has no lease any more.
    await jobs.send(runner, 'claimJob', [jobId]);
    await jobs.refuses(runner, 'commitTraining', commitArgs(jobId, 1), 'WrongAttempt', [jobId, 1, 2]);
  });

  it('end after three attempts', async () => {
    const jobId = await request();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await jobs.send(runner, 'claimJob', [jobId]);
      await chain.warp(LEASE);
    }
    await jobs.refuses(runner, 'claimJob', [jobId], 'WrongAttempt', [jobId, 4, 3]);
    await jobs.send(bob, 'refundJob', [jobId]);
  });

  it('go to exactly one of many claims in one block', async () => {
    const jobId = await request();
    await chain.client.setAutomine(false);
    const data = jobs.data('claimJob', [jobId]);
    const hashes: Hex[] = [];
    for (const from of [runner, otherRunner, runner, otherRunner, runner]) {
      hashes.push(await chain.enqueue({ from, to: jobs.address, data }));
    }
    await chain.client.mine({ blocks: 1 });
    await chain.client.setAutomine(true);
    const receipts = await Promise.all(hashes.map((hash) => chain.client.getTransactionReceipt({ hash })));
    expect(new Set(receipts.map(({ blockNumber }) => blockNumber)).size).toBe(1);
    expect(receipts.filter((receipt) => receipt.status === 'success')).toHaveLength(1);
    expect(await jobs.read('job', [jobId])).toMatchObject({ attempt: 1 });
  });
});

describe('failJob', () => {
  it('makes the job claimable again', async () => {
    const jobId = await claimed();
    await jobs.refuses(otherRunner, 'failJob', [jobId, 1, false, ''], 'NotLeaseHolder', [jobId, otherRunner]);
    await jobs.refuses(runner, 'failJob', [jobId, 3, false, ''], 'WrongAttempt', [jobId, 3, 1]);
    await jobs.refuses(runner, 'failJob', [jobId, 1, false, 'x'.repeat(1025)], 'TextTooLong', [1025n, 1024n]);
    const receipt = await jobs.send(runner, 'failJob', [jobId, 1, false, 'out of memory']);
    expect(jobs.event(receipt, 'JobFailed')).toEqual({ jobId, runner, attempt: 1, reason: 'out of memory' });
    const free = { status: status.requested, attempt: 1, runner: zeroAddress, leaseUntil: 0n };
    expect(await jobs.read('job', [jobId])).toMatchObject(free);
    await jobs.refuses(runner, 'failJob', [jobId, 1, false, ''], 'WrongStatus', [jobId, status.requested]);
    await jobs.send(otherRunner, 'claimJob', [jobId]);
  });

  it('refunds at once when the failure is permanent, or the third', async () => {
    for (const failures of [[true], [false, false, false]]) {
      const jobId = await request();
      const before = await chain.balance(bob);
      for (const [i, permanent] of failures.entries()) {
        await jobs.send(runner, 'claimJob', [jobId]);
        const receipt = await jobs.send(runner, 'failJob', [jobId, i + 1, permanent, 'no']);
        const refunds = i + 1 === failures.length ? [{ jobId, requester: bob, amount: FEE }] : [];
        expect(jobs.events(receipt, 'JobRefunded')).toEqual(refunds);
      }
      expect((await chain.balance(bob)) - before).toBe(FEE);
      expect(await jobs.read('job', [jobId])).toMatchObject({ status: status.refunded });
      await jobs.refuses(runner, 'claimJob', [jobId], 'WrongStatus', [jobId, status.refunded]);
    }
    expect(await jobs.read('totals', [])).toEqual([2n * FEE, 0n, 2n * FEE, 0n]);
  });
});

describe('refundJob', () => {
  it('is for the requester while no lease runs, and for anyone after the deadline', async () => {
    const jobId = await request();
    const { deadline } = await jobs.read('job', [jobId]);
    await jobs.refuses(alice, 'refundJob', [9n], 'UnknownJob', [9n]);
    await jobs.refuses(alice, 'refundJob', [jobId], 'NotRequester', [jobId, alice]);
    await jobs.send(runner, 'claimJob', [jobId]);
    await jobs.refuses(bob, 'refundJob', [jobId], 'DeadlineRunning', [jobId, deadline]);
    await chain.next(deadline - 10n);
    await jobs.send(runner, 'claimJob', [jobId]);
    await chain.at(deadline - 1n);
    await jobs.refuses(bob, 'refundJob', [jobId], 'DeadlineRunning', [jobId, deadline]);
    await jobs.refuses(alice, 'refundJob', [jobId], 'NotRequester', [jobId, alice]);
    await chain.at(deadline);
    const before = await chain.balance(bob);
    const receipt = await jobs.send(alice, 'refundJob', [jobId]);
    expect(jobs.event(receipt, 'JobRefunded')).toEqual({ jobId, requester: bob, amount: FEE });
    expect((await chain.balance(bob)) - before).toBe(FEE);
    await jobs.refuses(bob, 'refundJob', [jobId], 'WrongStatus', [jobId, status.refunded]);
    await jobs.refuses(runner, 'commitTraining', commitArgs(jobId, 2), 'WrongStatus', [jobId, status.refunded]);
  });

  it('gives an unclaimed or abandoned job back at once', async () => {
    const unclaimed = await request();
    await jobs.send(bob, 'refundJob', [unclaimed]);
    const abandoned = await claimed();
    await chain.warp(LEASE);
    await jobs.send(bob, 'refundJob', [abandoned]);
    expect(await jobs.read('totals', [])).toEqual([2n * FEE, 0n, 2n * FEE, 0n]);
  });
});

describe('commitTraining', () => {
  it('registers the adapter, its evaluations and the page, and settles, in one transaction', async () => {
    const jobId = await claimed();
    const receipt = await jobs.send(runner, 'commitTraining', commitArgs(jobId));
    const adapter = models.event(receipt, 'AdapterRegistered');
    expect(adapter).toEqual({
      modelId: 2n,
      parentId: modelId,
      owner: bob,
      jobId,
      datanetId,
      datanetVersion: 1,
      weightsHash: hashOf('tuned'),
      configHash: hashOf('config'),
      name: 'tuned',
    });
    const recorded = models.events(receipt, 'EvaluationRecorded');
    expect(recorded.map(({ suite: name, evaluator }) => [name, evaluator])).toEqual([
      [suite('domain'), runner],
      [suite('general'), runner],
    ]);
    expect(ledger.event(receipt, 'BatchAppended')).toMatchObject({
      batchIndex: 0n,
      runner,
      pagesRoot: pagesRoot([hexToBytes(page)]),
      settlementsHash: settlementsHash([{ sourceKind: 1, sourceId: jobId, payer: bob, amount: FEE, splitVersion: 1 }]),
    });
    const committed = { jobId, runner, modelId: 2n, attempt: 1, resultHash: hashOf('tuned') };
    expect(jobs.event(receipt, 'JobCommitted')).toEqual(committed);
    const settled = { jobId, runner, modelId, amount: FEE, batchIndex: 0n, splitVersion: 1 };
    expect(jobs.event(receipt, 'JobSettled')).toEqual(settled);
    const funded = { fundingId: 1n, source: jobs.address, amount: FEE, totalFunded: FEE };
    expect(rewards.event(receipt, 'Funded')).toEqual(funded);
    expect(await jobs.read('job', [jobId])).toMatchObject({
      status: status.committed,
      resultHash: hashOf('tuned'),
      leaseUntil: 0n,
    });
    expect(await jobs.read('totals', [])).toEqual([FEE, FEE, 0n, 0n]);
    expect(await chain.balance(rewards.address)).toBe(FEE);
    // The evaluation on "general" came with it, so the new owner can deploy.
    await models.send(bob, 'deploy', [2n, 1n, 1n]);
  });

  it('commits exactly once', async () => {
    const jobId = await claimed();
    await jobs.send(runner, 'commitTraining', commitArgs(jobId));
    const again = commitArgs(jobId, 1, result('other'));
    await jobs.refuses(runner, 'commitTraining', again, 'WrongStatus', [jobId, status.committed]);
    await jobs.refuses(bob, 'refundJob', [jobId], 'WrongStatus', [jobId, status.committed]);
    await jobs.refuses(otherRunner, 'claimJob', [jobId], 'WrongStatus', [jobId, status.committed]);
  });

  it('is for the lease holder, bonded still', async () => {
    const jobId = await claimed();
    await jobs.refuses(otherRunner, 'commitTraining', commitArgs(jobId), 'NotLeaseHolder', [jobId, otherRunner]);
    await jobs.refuses(alice, 'commitTraining', commitArgs(jobId), 'NotBondedRunner', [alice]);
    await jobs.refuses(runner, 'commitTraining', commitArgs(9n), 'UnknownJob', [9n]);
    await staking.send(governance, 'slash', [runner, 1n, 'late']);
    await jobs.refuses(runner, 'commitTraining', commitArgs(jobId), 'NotBondedRunner', [runner]);
  });

  it('is a top-level call', async () => {
    const jobId = await request();
    const actor = await createActor(chain);
    const through = [jobs.address, 0n, jobs.data('commitTraining', commitArgs(jobId))] as const;
    await actor.refuses(runner, 'execute', through, 'NotTopLevel', [actor.address]);
  });

  it('needs an evaluation on the domain and one on general tasks', async () => {
    const jobId = await claimed();
    const refuses = (suites: string[], missing: string) =>
      jobs.refuses(runner, 'commitTraining', commitArgs(jobId, 1, result('t', suites)), 'MissingEvaluation', [
        suite(missing),
      ]);
    await refuses([], 'domain');
    await refuses(['general', 'code'], 'domain');
    await refuses(['domain', 'domain'], 'general');
    const more = result('t', ['code', 'general', 'domain']);
    await jobs.send(runner, 'commitTraining', commitArgs(jobId, 1, more));
  });

  it('fails as a whole when a part of it fails', async () => {
    const jobId = await claimed();
    const refuses = (given: ReturnType<typeof result>, error: string, args: unknown[] = []) =>
      jobs.refuses(runner, 'commitTraining', commitArgs(jobId, 1, given), error, args);
    await refuses({ ...result(), weightsHash: hashOf('weights of tiny') }, 'WeightsTaken', [
      hashOf('weights of tiny'),
      modelId,
    ]);
    await refuses({ ...result(), weightsHash: zeroHash }, 'ZeroHash');
    await refuses({ ...result(), name: '' }, 'EmptyName');
    await jobs.refuses(runner, 'commitTraining', [jobId, 1, result(), []], 'EmptyBatch');
    expect(await jobs.read('job', [jobId])).toMatchObject({ status: status.claimed });
  });

  it('still counts after the deadline, when nobody refunded before', async () => {
    const jobId = await request(bob, 300n);
    const { deadline } = await jobs.read('job', [jobId]);
    await chain.next(deadline - 1n);
    await jobs.send(runner, 'claimJob', [jobId]);
    await chain.next(deadline + 100n);
    await jobs.send(runner, 'commitTraining', commitArgs(jobId));
  });
});
