import fc from 'fast-check';
import { type Address, type Hex, numberToHex, parseEther, zeroAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { account, isolateTests, startChain } from './support/chain.ts';
import { NATIVE_TOKEN, type RewardLeaf, rewardTree } from './support/rewardTree.ts';
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

const FUNDED = parseEther('100');
const CLAIMS = 10_000;

/** Funds, proposes, waits and finalizes. `total` is what the proposer states, true or not. */
async function publish(leaves: RewardLeaf[], { total, fund = 0n }: { total?: bigint; fund?: bigint } = {}) {
  if (fund > 0n) await rewards.send(governance, 'fund', [], fund);
  const tree = rewardTree(leaves);
  const prevRoot = await rewards.read('root', []);
  const toBlock = await chain.client.getBlockNumber();
  const proposal = {
    root: tree.root,
    prevRoot,
    dataHash: hashOf('file'),
    traceRoot: hashOf('trace'),
    treeRoot: hashOf('nodes'),
    records: 1n,
    accounts: BigInt(leaves.length),
    toBlock,
    total: total ?? tree.total,
  };
  await rewards.send(governance, 'proposeRoot', [proposal], ROOT_BOND);
  await chain.warp(DISPUTE_WINDOW);
  await rewards.send(governance, 'finalize', [await rewards.read('currentEpoch', [])]);
  return tree;
}

const claimArgs = (who: Address, cumulative: bigint, proof: Hex[]) => [who, NATIVE_TOKEN, cumulative, proof] as const;

describe('claim', () => {
  it('pays what is new since the last claim, whoever sends it', async () => {
    const first = await publish(
      [
        [alice, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    const before = await chain.balance(alice);
    const receipt = await rewards.send(carol, 'claim', claimArgs(alice, 10n, first.proof(0)));
    const event = { account: alice, recipient: alice, token: NATIVE_TOKEN, amount: 10n, cumulative: 10n };
    expect(rewards.event(receipt, 'Claimed')).toEqual(event);
    expect((await chain.balance(alice)) - before).toBe(10n);
    const nothing = claimArgs(alice, 10n, first.proof(0));
    await rewards.refuses(alice, 'claim', nothing, 'NothingToClaim', [alice, 10n, 10n]);

    const second = await publish([
      [alice, 17n],
      [bob, 25n],
    ]);
    await rewards.refuses(bob, 'claim', claimArgs(bob, 20n, first.proof(1)), 'BadProof', [bob, 20n]);
    const later = await rewards.send(alice, 'claim', claimArgs(alice, 17n, second.proof(0)));
    expect(rewards.event(later, 'Claimed')).toMatchObject({ amount: 7n, cumulative: 17n });
    await rewards.send(bob, 'claim', claimArgs(bob, 25n, second.proof(1)));
    expect(await rewards.read('claimed', [bob])).toBe(25n);
    expect(await rewards.read('totals', [])).toEqual([FUNDED, 42n, 0n]);
    expect(await chain.balance(rewards.address)).toBe(FUNDED - 42n);
  });

  it('refuses without a root, with other tokens, amounts, accounts and proofs', async () => {
    const early = claimArgs(alice, 10n, []);
    await rewards.refuses(alice, 'claim', early, 'NoRoot');
    const tree = await publish(
      [
        [alice, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    const proof = tree.proof(0);
    await rewards.refuses(alice, 'claim', [alice, zeroAddress, 10n, proof], 'UnknownToken', [zeroAddress]);
    await rewards.refuses(alice, 'claim', claimArgs(alice, 11n, proof), 'BadProof', [alice, 11n]);
    await rewards.refuses(carol, 'claim', claimArgs(carol, 10n, proof), 'BadProof', [carol, 10n]);
    await rewards.refuses(alice, 'claim', claimArgs(alice, 10n, []), 'BadProof', [alice, 10n]);
    await rewards.refuses(alice, 'claim', claimArgs(alice, 10n, [...proof, zeroHash]), 'BadProof', [alice, 10n]);
  });

  it('pays the recipient that the account itself has set', async () => {
    const tree = await publish(
      [
        [alice, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    expect(await rewards.read('recipientOf', [alice])).toBe(alice);
    const set = await rewards.send(alice, 'setRecipient', [carol]);
    expect(rewards.event(set, 'RecipientSet')).toEqual({ account: alice, recipient: carol });
    const before = await chain.balance(carol);
    const receipt = await rewards.send(bob, 'claim', claimArgs(alice, 10n, tree.proof(0)));
    expect(rewards.event(receipt, 'Claimed')).toMatchObject({ account: alice, recipient: carol });
    expect((await chain.balance(carol)) - before).toBe(10n);
    await rewards.send(alice, 'setRecipient', [zeroAddress]);
    expect(await rewards.read('recipientOf', [alice])).toBe(alice);
  });

  it('fails for a contract that takes nothing, until it names a recipient', async () => {
    const actor = await createActor(chain);
    await actor.send(bob, 'set', [bob, receiveModes.revert, zeroAddress, '0x']);
    const tree = await publish(
      [
        [actor.address, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    const args = claimArgs(actor.address, 10n, tree.proof(0));
    await rewards.refuses(bob, 'claim', args, 'TransferFailed', [actor.address, 10n]);
    await actor.send(bob, 'execute', [rewards.address, 0n, rewards.data('setRecipient', [carol])]);
    await rewards.send(bob, 'claim', args);
  });

  it('can not be entered again while it pays', async () => {
    const actor = await createActor(chain);
    const tree = await publish(
      [
        [actor.address, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    const args = claimArgs(actor.address, 10n, tree.proof(0));
    const other = rewards.data('claim', claimArgs(bob, 20n, tree.proof(1)));
    await actor.send(bob, 'set', [bob, receiveModes.callBack, rewards.address, other]);
    await rewards.send(bob, 'claim', args);
    expect(await actor.read('callbackSucceeded', [])).toBe(false);
    expect(await chain.balance(actor.address)).toBe(10n);
    await rewards.send(bob, 'claim', claimArgs(bob, 20n, tree.proof(1)));
  });

  it('pays one of 10,000 claims that wait for the same blocks', async () => {
    const tree = await publish(
      [
        [alice, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED },
    );
    const data = rewards.data('claim', claimArgs(alice, 10n, tree.proof(0)));
    const before = await chain.balance(alice);
    await chain.client.setAutomine(false);
    const claim = (sender: number): Promise<Hex> => {
      const from = `0x${(sender + 1).toString(16).padStart(40, '9')}`;
      const params = [{ from, to: rewards.address, data, gas: numberToHex(150_000), gasPrice: '0x0' }];
      return chain.rpc({ method: 'eth_sendTransaction', params });
    };
    const hashes: Hex[] = [];
    for (let sent = 0; sent < CLAIMS; sent += 500) {
      hashes.push(...(await Promise.all(Array.from({ length: 500 }, (_, i) => claim(sent + i)))));
    }
    const fromBlock = (await chain.client.getBlockNumber()) + 1n;
    let [mined, blocks] = [0, 0];
    for (; mined < CLAIMS && blocks < 20; blocks++) {
      await chain.client.mine({ blocks: 1 });
      mined += (await chain.client.getBlock()).transactions.length;
    }
    const paid = (await chain.client.getLogs({ address: rewards.address, fromBlock })).length;
    await chain.client.setAutomine(true);
    expect([new Set(hashes).size, mined, paid]).toEqual([CLAIMS, CLAIMS, 1]);
    // Thousands of them in one block, not one after another.
    expect(blocks).toBeLessThan(10);
    expect((await chain.balance(alice)) - before).toBe(10n);
  }, 120_000);

  it('pays many accounts at once, without those that have nothing new or take nothing', async () => {
    const actor = await createActor(chain);
    await actor.send(bob, 'set', [bob, receiveModes.revert, zeroAddress, '0x']);
    const leaves: RewardLeaf[] = [
      [alice, 10n],
      [actor.address, 5n],
      [bob, 20n],
      [carol, 30n],
    ];
    const tree = await publish(leaves, { fund: FUNDED });
    await rewards.send(carol, 'claim', claimArgs(bob, 20n, tree.proof(2)));
    const claims = leaves.map(([who, cumulative], i) => ({ account: who, cumulative, proof: tree.proof(i) }));
    const before = await chain.balance(alice);
    const receipt = await rewards.send(carol, 'claimMany', [[...claims, ...claims]]);
    expect(rewards.events(receipt, 'Claimed').map(({ account: who, amount }) => [who, amount])).toEqual([
      [alice, 10n],
      [carol, 30n],
    ]);
    expect((await chain.balance(alice)) - before).toBe(10n);
    expect(await rewards.read('claimed', [actor.address])).toBe(0n);
    expect(await rewards.read('totals', [])).toEqual([FUNDED, 60n, 0n]);
    const wrong = claims.map((claim) => ({ ...claim, cumulative: claim.cumulative + 1n }));
    await rewards.refuses(carol, 'claimMany', [wrong], 'BadProof', [alice, 11n]);
  });

  it('never pays more than the stated total, when a lying root got past the window', async () => {
    const tree = await publish(
      [
        [alice, 10n],
        [bob, 20n],
      ],
      { fund: FUNDED, total: 25n },
    );
    await rewards.send(alice, 'claim', claimArgs(alice, 10n, tree.proof(0)));
    const args = claimArgs(bob, 20n, tree.proof(1));
    await rewards.refuses(bob, 'claim', args, 'TotalOverFunded', [30n, 25n]);
  });
});

describe('any sequence of cumulative roots', () => {
  it('pays exactly the leaves and never more than was funded', async () => {
    const accounts = [6, 7, 8, 9, 10].map((index) => account(index).address);
    const epoch = fc.record({
      gains: fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { minLength: 5, maxLength: 5 }),
      claimers: fc.array(fc.nat(4), { maxLength: 8 }),
      surplus: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(epoch, { minLength: 1, maxLength: 5 }), async (epochs) => {
        const snapshot = await chain.client.snapshot();
        const before = await Promise.all(accounts.map(chain.balance));
        const cumulative = accounts.map(() => 0n);
        const paid = accounts.map(() => 0n);
        let funded = 0n;
        for (const [number, { gains, claimers, surplus }] of epochs.entries()) {
          for (const [i, gain] of gains.entries()) cumulative[i]! += gain;
          const fund = gains.reduce((sum, gain) => sum + gain, surplus);
          funded += fund;
          const leaves = accounts.map((who, i): RewardLeaf => [who, cumulative[i]!]);
          const tree = await publish(leaves, { fund });
          const last = number === epochs.length - 1;
          for (const i of [...claimers, ...(last ? [0, 1, 2, 3, 4] : [])]) {
            const data = rewards.data('claim', claimArgs(accounts[i]!, cumulative[i]!, tree.proof(i)));
            const { status } = await chain.send({ from: carol, to: rewards.address, data });
            expect(status === 'success').toBe(cumulative[i]! > paid[i]!);
            paid[i] = cumulative[i]!;
          }
          const total = paid.reduce((sum, amount) => sum + amount, 0n);
          expect(await rewards.read('totals', [])).toEqual([funded, total, 0n]);
          expect(await chain.balance(rewards.address)).toBe(funded - total);
        }
        const after = await Promise.all(accounts.map(chain.balance));
        expect(after.map((balance, i) => balance - before[i]!)).toEqual(cumulative);
        await chain.client.revert({ id: snapshot });
      }),
      { numRuns: 25 },
    );
  }, 240_000);
});
