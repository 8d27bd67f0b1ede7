import { describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import {
  AUDIT_SETTINGS,
  alice,
  bob,
  CLOSE_DELAY,
  DISPUTE_WINDOW,
  deploySystem,
  governance,
  ROOT_BOND,
} from './support/system.ts';

const chain = await startChain();
const { datanets, models, jobs, ledger, rewards, recompute, disputes, staking, provenance, audits } =
  await deploySystem(chain);
isolateTests(chain);

const parts = {
  models: models.address,
  datanets: datanets.address,
  ledger: ledger.address,
  rewards: rewards.address,
  staking: staking.address,
};

describe('initialize', () => {
  it('works once per proxy and never on an implementation', async () => {
    for (const at of ['address', 'implementation'] as const) {
      const jobsAt = contractAt(chain, jobs.abi, jobs[at]);
      await jobsAt.refuses(alice, 'initialize', [alice, parts, 1n], 'InvalidInitialization');
      const modelsAt = contractAt(chain, models.abi, models[at]);
      await modelsAt.refuses(alice, 'initialize', [alice, alice], 'InvalidInitialization');
      const ledgerAt = contractAt(chain, ledger.abi, ledger[at]);
      await ledgerAt.refuses(alice, 'initialize', [alice, alice], 'InvalidInitialization');
      const rewardsAt = contractAt(chain, rewards.abi, rewards[at]);
      await rewardsAt.refuses(alice, 'initialize', [alice, alice, 1n, 1n], 'InvalidInitialization');
      const disputesAt = contractAt(chain, disputes.abi, disputes[at]);
      await disputesAt.refuses(alice, 'initialize', [alice, alice, alice, 1n, 1n], 'InvalidInitialization');
      const recomputeAt = contractAt(chain, recompute.abi, recompute[at]);
      await recomputeAt.refuses(alice, 'initialize', [{ ...parts, jobs: jobs.address }], 'InvalidInitialization');
      const stakingAt = contractAt(chain, staking.abi, staking[at]);
      await stakingAt.refuses(alice, 'initialize', [alice, 1n, 1n, alice], 'InvalidInitialization');
      const auditsAt = contractAt(chain, audits.abi, audits[at]);
      await auditsAt.refuses(alice, 'initialize', [alice, alice, AUDIT_SETTINGS], 'InvalidInitialization');
      const provenanceAt = contractAt(chain, provenance.abi, provenance[at]);
      await provenanceAt.refuses(alice, 'initialize', [alice], 'InvalidInitialization');
    }
  });

  it('wires the contracts to each other', async () => {
    expect(await models.read('staking', [])).toBe(staking.address);
    expect(await models.read('jobs', [])).toBe(jobs.address);
    expect(await ledger.read('staking', [])).toBe(staking.address);
    expect(await ledger.read('jobs', [])).toBe(jobs.address);
    expect(await provenance.read('models', [])).toBe(models.address);
    for (const name of ['models', 'datanets', 'ledger', 'rewards', 'staking'] as const) {
      expect(await jobs.read(name, [])).toBe(parts[name]);
    }
    expect(await jobs.read('CLOSE_DELAY', [])).toBe(CLOSE_DELAY);
    expect(await jobs.read('LEASE_SECONDS', [])).toBe(300n);
    expect(await jobs.read('MAX_ATTEMPTS', [])).toBe(3);
    expect(await rewards.read('BOND', [])).toBe(ROOT_BOND);
    expect(await rewards.read('disputeWindow', [])).toBe(DISPUTE_WINDOW);
    expect(await rewards.read('disputes', [])).toBe(disputes.address);
    expect(await rewards.read('platform', [])).toBe(governance);
    expect(await disputes.read('recompute', [])).toBe(recompute.address);
    expect(await staking.read('audits', [])).toBe(audits.address);
    expect(await audits.read('staking', [])).toBe(staking.address);
    expect(await audits.read('ledger', [])).toBe(ledger.address);
    expect(await audits.read('INFERENCE_RATE_BPS', [])).toBe(AUDIT_SETTINGS.inferenceRateBps);
    expect(await audits.read('TRAINING_RATE_BPS', [])).toBe(AUDIT_SETTINGS.trainingRateBps);
    expect(await audits.read('FAULT_BPS', [])).toBe(AUDIT_SETTINGS.faultBps);
    expect(await audits.read('MISS_BPS', [])).toBe(AUDIT_SETTINGS.missBps);
    expect(await audits.read('BEACON_DELAY', [])).toBe(AUDIT_SETTINGS.beaconDelay);
    expect(await audits.read('REPORT_SECONDS', [])).toBe(AUDIT_SETTINGS.reportSeconds);
    expect(await audits.read('VOTE_SECONDS', [])).toBe(AUDIT_SETTINGS.voteSeconds);
  });
});

describe('governance', () => {
  it('owns Jobs, Rewards and Staking, and moves in two steps', async () => {
    for (const owned of [jobs, rewards, staking]) {
      const { address } = owned;
      const contract = contractAt(chain, staking.abi, address);
      expect(await contract.read('owner', [])).toBe(governance);
      await contract.refuses(alice, 'transferOwnership', [alice], 'OwnableUnauthorizedAccount', [alice]);
      await contract.send(governance, 'transferOwnership', [bob]);
      expect(await contract.read('owner', [])).toBe(governance);
      await contract.refuses(alice, 'acceptOwnership', [], 'OwnableUnauthorizedAccount', [alice]);
      await contract.send(bob, 'acceptOwnership', []);
      expect(await contract.read('owner', [])).toBe(bob);
    }
  });
});

describe('setSplit', () => {
  const standard = { owner: 3000, runner: 3000, contributors: 3000, stakers: 1000, platform: 0 };
  const none = { owner: 0, runner: 0, contributors: 0, stakers: 0, platform: 0 };

  it('starts with version 1 and keeps every version', async () => {
    expect(await jobs.read('splitVersion', [])).toBe(1);
    expect(await jobs.read('split', [1])).toEqual(standard);
    const next = { owner: 0, runner: 2500, contributors: 5000, stakers: 2000, platform: 500 };
    const receipt = await jobs.send(governance, 'setSplit', [next]);
    expect(jobs.event(receipt, 'SplitSet')).toEqual({ version: 2, ...next });
    expect(await jobs.read('splitVersion', [])).toBe(2);
    expect(await jobs.read('split', [2])).toEqual(next);
    expect(await jobs.read('split', [1])).toEqual(standard);
    expect(await jobs.read('split', [3])).toEqual(none);
  });

  it('refuses others and sums that are not the whole', async () => {
    await jobs.refuses(alice, 'setSplit', [standard], 'OwnableUnauthorizedAccount', [alice]);
    await jobs.refuses(governance, 'setSplit', [{ ...standard, platform: 1 }], 'BadSplit', [10_001n]);
    await jobs.refuses(governance, 'setSplit', [{ ...standard, owner: 2999 }], 'BadSplit', [9_999n]);
    const huge = { owner: 65_535, runner: 65_535, contributors: 65_535, stakers: 65_535, platform: 65_535 };
    await jobs.refuses(governance, 'setSplit', [huge], 'BadSplit', [327_675n]);
  });
});
