import type { BlockEntry, ChainEvent, EventArgs, EventType } from '@openledger/event-log';
import { describe, expect, it } from 'vitest';
import { RunnerView } from './runnerView.ts';

const ANA = `0x${'a1'.repeat(20)}` as const;
const RUNNER = `0x${'b2'.repeat(20)}` as const;
const HASH = `0x${'11'.repeat(32)}` as const;

const event = <T extends EventType>(type: T, args: EventArgs<T>) =>
  ({ type, txIndex: 0, logIndex: 0, subIndex: 0, args }) as unknown as ChainEvent;
const view = (...events: ChainEvent[]): RunnerView => {
  const made = new RunnerView();
  made.apply({ kind: 'block', events } as unknown as BlockEntry);
  return made;
};
const submitted = (contributionId: bigint, datanetId = 1n) =>
  event('ContributionSubmitted', {
    contributionId,
    datanetId,
    contributor: ANA,
    contentHash: HASH,
    format: 0,
    size: 10,
    fileName: `${contributionId}.md`,
  });
const accepted = (contributionId: bigint, leafIndex: number) =>
  event('ContributionAccepted', {
    contributionId,
    datanetId: 1n,
    contributor: ANA,
    reviewer: RUNNER,
    score: 5,
    leafIndex,
    leaf: HASH,
    duplicateOf: 0n,
  });
const version = (contributionCount: number, number = 1) =>
  event('DatanetVersionPublished', { datanetId: 1n, version: number, dataRoot: HASH, contributionCount });

describe('RunnerView', () => {
  it('lists the files of a version as they were when it was published, first registered first', () => {
    const made = view(
      submitted(1n),
      submitted(2n),
      submitted(3n),
      accepted(2n, 0),
      accepted(1n, 1),
      version(2),
      accepted(3n, 2),
    );
    expect(made.versionFiles(1n, 1).map(({ id }) => id)).toEqual([1n, 2n]);
    expect(made.versionFiles(1n, 2)).toEqual([]);
  });

  it('counts earlier files that are not rejected as prior, of the same datanet only', () => {
    const rejected = event('ContributionRejected', {
      contributionId: 2n,
      datanetId: 1n,
      contributor: ANA,
      reviewer: RUNNER,
      reason: 'x',
    });
    const made = view(submitted(1n), submitted(2n), submitted(3n, 9n), submitted(4n), submitted(5n), rejected);
    const fourth = made.contributions.get(4n);
    expect(fourth && made.priorFiles(fourth).map(({ id }) => id)).toEqual([1n]);
  });

  it('knows reviewers: the owner and whoever it has named and not unnamed', () => {
    const created = event('DatanetCreated', { datanetId: 1n, owner: ANA, modality: 0, name: 'n', description: '' });
    const named = event('ReviewerSet', { datanetId: 1n, reviewer: RUNNER, allowed: true });
    const unnamed = event('ReviewerSet', { datanetId: 1n, reviewer: RUNNER, allowed: false });
    expect(view(created).isReviewer(1n, ANA)).toBe(true);
    expect(view(created, named).isReviewer(1n, RUNNER)).toBe(true);
    expect(view(created, named, unnamed).isReviewer(1n, RUNNER)).toBe(false);
  });

  it('follows a job from request over a failed attempt to its commit', () => {
    const requested = event('JobRequested', {
      jobId: 1n,
      requester: ANA,
      modelId: 1n,
      datanetId: 1n,
      datanetVersion: 1,
      fee: 5n,
      deadline: 100n,
      params: '{}',
    });
    const claim = (attempt: number) => event('JobClaimed', { jobId: 1n, runner: RUNNER, attempt, leaseUntil: 50n });
    const failed = event('JobFailed', { jobId: 1n, runner: RUNNER, attempt: 1, reason: 'x' });
    const committed = event('JobCommitted', { jobId: 1n, runner: RUNNER, modelId: 7n, attempt: 2, resultHash: HASH });
    expect(view(requested, claim(1)).jobs.get(1n)).toMatchObject({ status: 'claimed', attempt: 1, runner: RUNNER });
    expect(view(requested, claim(1), failed).jobs.get(1n)).toMatchObject({ status: 'requested', runner: undefined });
    expect(view(requested, claim(1), failed, claim(2), committed).jobs.get(1n)).toMatchObject({
      status: 'committed',
      adapterId: 7n,
    });
  });

  it('is empty after clear', () => {
    const made = view(submitted(1n), accepted(1n, 0), version(1));
    made.clear();
    expect(made.contributions.size).toBe(0);
    expect(made.versionFiles(1n, 1)).toEqual([]);
  });
});
