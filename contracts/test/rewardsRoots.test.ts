import { type Hex, parseEther, zeroAddress, zeroHash } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  carol,
  createActor,
  DISPUTE_WINDOW,
  deploySystem,
  governance,
  hashOf,
  ROOT_BOND,
  receiveModes,
} from './support/system.ts';

const chain = await startChain();
const { rewards } = await deploySystem(chain);
isolateTests(chain);

const status = { none: 0, proposed: 1, final: 2, rejected: 3 };
const FUNDED = parseEther('100');
const rootA = hashOf('root a');
const rootB = hashOf('root b');
const data = hashOf('ledger file');
const trace = { traceRoot: hashOf('trace'), treeRoot: hashOf('nodes'), records: 9n, accounts: 3n };
const proposal = (root: Hex, prevRoot: Hex, toBlock: bigint, total: bigint) => ({
  root,
  prevRoot,
  dataHash: data,
  ...trace,
  toBlock,
  total,
});

beforeEach(() => rewards.send(carol, 'fund', [], FUNDED));

async function propose(root = rootA, prevRoot: `0x${string}` = zeroHash, toBlock?: bigint, total = 10n) {
  const past = (await chain.client.getBlockNumber()) - 1n;
  return rewards.send(alice, 'proposeRoot', [proposal(root, prevRoot, toBlock ?? past, total)], ROOT_BOND);
}

async function finalize(epoch: bigint) {
  await chain.warp(DISPUTE_WINDOW);
  return rewards.send(carol, 'finalize', [epoch]);
}

describe('fund', () => {
  it('adds up and numbers the fundings', async () => {
    const receipt = await rewards.send(bob, 'fund', [], 5n);
    const event = { fundingId: 2n, source: bob, amount: 5n, totalFunded: FUNDED + 5n };
    expect(rewards.event(receipt, 'Funded')).toEqual(event);
    expect(await rewards.read('totals', [])).toEqual([FUNDED + 5n, 0n, 0n]);
    await rewards.refuses(bob, 'fund', [], 'ZeroAmount');
  });
});

describe('proposeRoot', () => {
  it('opens an epoch with a bond and a window', async () => {
    const toBlock = await chain.client.getBlockNumber();
    const receipt = await propose(rootA, zeroHash, toBlock);
    const disputableUntil = (await chain.now()) + DISPUTE_WINDOW;
    const shared = { ...proposal(rootA, zeroHash, toBlock, 10n), disputableUntil };
    expect(rewards.event(receipt, 'RootProposed')).toEqual({ epoch: 1n, proposer: alice, ...shared });
    expect(await rewards.read('epochInfo', [1n])).toEqual({
      ...shared,
      fromBlock: 0n,
      prevEpoch: 0n,
      proposer: alice,
      challenger: zeroAddress,
      bond: ROOT_BOND,
      status: status.proposed,
    });
    expect(await rewards.read('currentEpoch', [])).toBe(1n);
    expect(await rewards.read('root', [])).toBe(zeroHash);
    expect(await rewards.read('totals', [])).toEqual([FUNDED, 0n, ROOT_BOND]);
    expect((await rewards.read('epochInfo', [2n])).status).toBe(status.none);
  });

  it('refuses every false statement', async () => {
    const at = (await chain.client.getBlockNumber()) - 1n;
    const good = { root: rootA, prev: zeroHash as `0x${string}`, toBlock: at, total: 10n, bond: ROOT_BOND };
    const refuses = (over: Partial<typeof good>, error: string, args: unknown[] = []) => {
      const { root, prev, toBlock, total, bond } = { ...good, ...over };
      return rewards.refuses(alice, 'proposeRoot', [proposal(root, prev, toBlock, total)], error, args, bond);
    };
    await refuses({ bond: ROOT_BOND - 1n }, 'WrongBond', [ROOT_BOND - 1n, ROOT_BOND]);
    await refuses({ bond: ROOT_BOND + 1n }, 'WrongBond', [ROOT_BOND + 1n, ROOT_BOND]);
    await refuses({ root: zeroHash }, 'ZeroRoot');
    await refuses({ prev: rootB }, 'WrongPrevRoot', [rootB, zeroHash]);
    await refuses({ toBlock: 0n }, 'BadBlockRange', [0n, 0n]);
    // A call runs in the latest block, which is not past yet.
    await refuses({ toBlock: at + 1n }, 'BadBlockRange', [at + 1n, 0n]);
    await refuses({ total: FUNDED + 1n }, 'TotalOverFunded', [FUNDED + 1n, FUNDED]);
    await rewards.send(alice, 'proposeRoot', [proposal(rootA, zeroHash, at, FUNDED)], ROOT_BOND);
    await refuses({}, 'EpochOpen', [1n]);
    await finalize(1n);
    await refuses({ total: FUNDED, toBlock: at + 1n }, 'WrongPrevRoot', [zeroHash, rootA]);
    await refuses({ prev: rootA, total: FUNDED }, 'BadBlockRange', [at, at]);
    await refuses({ prev: rootA, toBlock: at + 1n, total: FUNDED - 1n }, 'TotalFell', [FUNDED - 1n, FUNDED]);
    await rewards.send(alice, 'proposeRoot', [proposal(rootB, rootA, at + 1n, FUNDED)], ROOT_BOND);
  });
});

describe('finalize', () => {
  it('makes the root current once the window is over, and returns the bond', async () => {
    const before = await chain.balance(alice);
    await propose();
    const { disputableUntil } = await rewards.read('epochInfo', [1n]);
    await chain.at(disputableUntil - 1n);
    await rewards.refuses(carol, 'finalize', [1n], 'WindowRunning', [1n, disputableUntil]);
    await chain.at(disputableUntil);
    const receipt = await rewards.send(carol, 'finalize', [1n]);
    expect(rewards.event(receipt, 'RootFinalized')).toEqual({ epoch: 1n, root: rootA, total: 10n });
    expect(await rewards.read('root', [])).toBe(rootA);
    expect(await chain.balance(alice)).toBe(before);
    expect(await rewards.read('totals', [])).toEqual([FUNDED, 0n, 0n]);
    await rewards.refuses(carol, 'finalize', [1n], 'WrongStatus', [1n, status.final]);
    await rewards.refuses(carol, 'finalize', [2n], 'WrongStatus', [2n, status.none]);
  });

  it('is not held up by a proposer that takes no money', async () => {
    const actor = await createActor(chain, ROOT_BOND);
    const toBlock = (await chain.client.getBlockNumber()) - 1n;
    const call = rewards.data('proposeRoot', [proposal(rootA, zeroHash, toBlock, 1n)]);
    await actor.send(bob, 'execute', [rewards.address, ROOT_BOND, call]);
    await actor.send(bob, 'set', [bob, receiveModes.revert, zeroAddress, '0x']);
    const receipt = await finalize(1n);
    expect(rewards.event(receipt, 'Credited')).toEqual({ account: actor.address, amount: ROOT_BOND });
    expect(await rewards.read('totals', [])).toEqual([FUNDED, 0n, 0n]);
    expect(await chain.balance(rewards.address)).toBe(FUNDED + ROOT_BOND);
  });
});

describe('an epoch without records or accounts', () => {
  it('is refused', async () => {
    const toBlock = (await chain.client.getBlockNumber()) - 1n;
    for (const figure of ['records', 'accounts'] as const) {
      const empty = { ...proposal(rootA, zeroHash, toBlock, 1n), [figure]: 0n };
      await rewards.refuses(alice, 'proposeRoot', [empty], 'NoRecords', [], ROOT_BOND);
    }
  });
});

describe('setDisputeWindow', () => {
  it('is for governance and leaves a proposed root alone', async () => {
    await rewards.refuses(alice, 'setDisputeWindow', [1n], 'OwnableUnauthorizedAccount', [alice]);
    await propose();
    const { disputableUntil } = await rewards.read('epochInfo', [1n]);
    const receipt = await rewards.send(governance, 'setDisputeWindow', [60n]);
    expect(rewards.event(receipt, 'DisputeWindowSet')).toEqual({ disputeWindow: 60n });
    expect(await rewards.read('disputeWindow', [])).toBe(60n);
    await chain.at(disputableUntil - 1n);
    await rewards.refuses(carol, 'finalize', [1n], 'WindowRunning', [1n, disputableUntil]);
  });
});
