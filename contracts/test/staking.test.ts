import fc from 'fast-check';
import { zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  carol,
  createActor,
  deploySystem,
  governance,
  MIN_BOND,
  otherRunner,
  receiveModes,
  runner,
  UNBONDING_SECONDS,
} from './support/system.ts';

const chain = await startChain();
const { staking, audits } = await deploySystem(chain);
isolateTests(chain);

const BURN = '0x000000000000000000000000000000000000dEaD';

describe('bonds', () => {
  it('make a runner from MIN_BOND on', async () => {
    await staking.refuses(alice, 'bond', [], 'ZeroAmount');
    const receipt = await staking.send(alice, 'bond', [], MIN_BOND - 1n);
    expect(staking.event(receipt, 'BondChanged')).toEqual({ runner: alice, bond: MIN_BOND - 1n });
    expect(await staking.read('isBonded', [alice])).toBe(false);
    await staking.send(alice, 'bond', [], 1n);
    expect(await staking.read('isBonded', [alice])).toBe(true);
    expect(await staking.read('bondOf', [alice])).toBe(MIN_BOND);
    expect(await staking.read('MIN_BOND', [])).toBe(MIN_BOND);
    expect(await staking.read('UNBONDING_SECONDS', [])).toBe(UNBONDING_SECONDS);
  });

  it('come back after the unbonding time', async () => {
    await staking.refuses(runner, 'requestUnbond', [0n], 'ZeroAmount');
    await staking.refuses(runner, 'requestUnbond', [MIN_BOND + 1n], 'InsufficientBond', [MIN_BOND, MIN_BOND + 1n]);
    const receipt = await staking.send(runner, 'requestUnbond', [4n]);
    const withdrawableAt = (await chain.now()) + UNBONDING_SECONDS;
    const event = { account: runner, runner, amount: 4n, withdrawableAt };
    expect(staking.event(receipt, 'UnbondRequested')).toEqual(event);
    expect(staking.event(receipt, 'BondChanged')).toEqual({ runner, bond: MIN_BOND - 4n });
    expect(await staking.read('isBonded', [runner])).toBe(false);
    expect(await staking.read('unbondings', [runner])).toEqual([{ amount: 4n, withdrawableAt }]);
    await chain.at(withdrawableAt - 1n);
    await staking.refuses(runner, 'withdraw', [], 'NothingToWithdraw', [runner]);
    await chain.at(withdrawableAt);
    const before = await chain.balance(runner);
    const paid = await staking.send(runner, 'withdraw', []);
    expect(staking.event(paid, 'Withdrawn')).toEqual({ account: runner, amount: 4n });
    expect((await chain.balance(runner)) - before).toBe(4n);
    expect(await staking.read('unbondings', [runner])).toEqual([]);
    await staking.refuses(runner, 'withdraw', [], 'NothingToWithdraw', [runner]);
  });
});

/** The least that may be delegated. */
const MIN_STAKE = MIN_BOND / 100n;

describe('delegated stake', () => {
  it('goes to bonded runners and comes back after the unbonding time', async () => {
    await staking.refuses(alice, 'delegate', [runner], 'ZeroAmount');
    await staking.refuses(alice, 'delegate', [bob], 'NotBondedRunner', [bob], 1n);
    await staking.refuses(alice, 'delegate', [runner], 'StakeTooLow', [MIN_STAKE - 1n, MIN_STAKE], MIN_STAKE - 1n);
    await staking.send(alice, 'delegate', [runner], MIN_STAKE + 7n);
    const receipt = await staking.send(bob, 'delegate', [runner], MIN_STAKE);
    const changed = { staker: bob, runner, stake: MIN_STAKE, runnerTotal: 2n * MIN_STAKE + 7n };
    expect(staking.event(receipt, 'StakeChanged')).toEqual(changed);
    await staking.refuses(alice, 'requestUndelegate', [runner, 0n], 'ZeroAmount');
    await staking.refuses(alice, 'requestUndelegate', [runner, MIN_STAKE + 8n], 'InsufficientStake', [
      MIN_STAKE + 7n,
      MIN_STAKE + 8n,
    ]);
    // Also from a runner that is one no more.
    await staking.send(runner, 'requestUnbond', [MIN_BOND]);
    const left = await staking.send(alice, 'requestUndelegate', [runner, 3n]);
    expect(staking.event(left, 'StakeChanged')).toEqual({
      staker: alice,
      runner,
      stake: MIN_STAKE + 4n,
      runnerTotal: 2n * MIN_STAKE + 4n,
    });
    expect(staking.event(left, 'UnbondRequested')).toMatchObject({ account: alice, runner, amount: 3n });
    expect(await staking.read('stakeOf', [alice, runner])).toBe(MIN_STAKE + 4n);
    expect(await staking.read('totalStake', [runner])).toBe(2n * MIN_STAKE + 4n);
    await chain.warp(UNBONDING_SECONDS);
    const before = await chain.balance(alice);
    await staking.send(alice, 'withdraw', []);
    expect((await chain.balance(alice)) - before).toBe(3n);
  });
});

describe('withdraw', () => {
  it('pays only what is due, of both kinds', async () => {
    await staking.send(runner, 'delegate', [runner], MIN_STAKE + 100n);
    await staking.send(runner, 'requestUndelegate', [runner, 1n]);
    await staking.send(runner, 'requestUnbond', [2n]);
    await staking.send(runner, 'requestUnbond', [16n]);
    await chain.warp(UNBONDING_SECONDS / 2n);
    await staking.send(runner, 'requestUndelegate', [runner, 4n]);
    await staking.send(runner, 'requestUnbond', [8n]);
    await chain.warp(UNBONDING_SECONDS / 2n);
    const due = await staking.send(runner, 'withdraw', []);
    expect(staking.event(due, 'Withdrawn').amount).toBe(19n);
    const waiting = await staking.read('unbondings', [runner]);
    expect(waiting.map(({ amount }) => amount)).toEqual([8n, 4n]);
  });

  it('fails for a contract that takes nothing', async () => {
    const actor = await createActor(chain, 10n);
    const execute = (value: bigint, data: `0x${string}`) => [staking.address, value, data] as const;
    await actor.send(bob, 'execute', execute(10n, staking.data('bond', [])));
    await actor.send(bob, 'execute', execute(0n, staking.data('requestUnbond', [10n])));
    await actor.send(bob, 'set', [bob, receiveModes.revert, zeroAddress, '0x']);
    await chain.warp(UNBONDING_SECONDS);
    const withdraw = execute(0n, staking.data('withdraw', []));
    await actor.refuses(bob, 'execute', withdraw, 'TransferFailed', [actor.address, 10n]);
    // Entered again while it pays, it pays once.
    await actor.send(bob, 'set', [bob, receiveModes.callBack, staking.address, staking.data('withdraw', [])]);
    await actor.send(bob, 'execute', withdraw);
    expect(await actor.read('callbackSucceeded', [])).toBe(false);
    expect(await chain.balance(actor.address)).toBe(10n);
  });

  it('joins further requests to the last of 16', async () => {
    for (let i = 1; i <= 18; i++) await staking.send(runner, 'requestUnbond', [1n]);
    const waiting = await staking.read('unbondings', [runner]);
    expect(waiting.map(({ amount }) => amount)).toEqual([...Array(15).fill(1n), 3n]);
    expect(waiting.at(-1)?.withdrawableAt).toBe((await chain.now()) + UNBONDING_SECONDS);
  });
});

describe('slash', () => {
  it('burns from the bond, then from what of it is unbonding, newest first', async () => {
    await staking.refuses(alice, 'slash', [runner, 1n, ''], 'OwnableUnauthorizedAccount', [alice]);
    await staking.refuses(governance, 'slash', [runner, 0n, ''], 'ZeroAmount');
    const long = 'x'.repeat(1025);
    await staking.refuses(governance, 'slash', [runner, 1n, long], 'TextTooLong', [1025n, 1024n]);
    for (const amount of [5n, 6n, MIN_BOND - 20n]) await staking.send(runner, 'requestUnbond', [amount]);
    const receipt = await staking.send(governance, 'slash', [runner, 9n + MIN_BOND - 20n + 1n, 'forged batch']);
    expect(staking.event(receipt, 'Slashed')).toMatchObject({ runner, amount: MIN_BOND - 10n, reason: 'forged batch' });
    expect(staking.event(receipt, 'BondChanged')).toEqual({ runner, bond: 0n });
    const waiting = await staking.read('unbondings', [runner]);
    expect(waiting.map(({ amount }) => amount)).toEqual([5n, 5n]);
    expect(await chain.balance(BURN)).toBe(MIN_BOND - 10n);
    await staking.refuses(governance, 'slash', [runner, 11n, ''], 'InsufficientBond', [10n, 11n]);
    await staking.send(governance, 'slash', [runner, 10n, '']);
    expect(await staking.read('unbondings', [runner])).toEqual([]);
  });

  it('takes a part of the bond and leaves the rest', async () => {
    await staking.send(runner, 'bond', [], 5n);
    const receipt = await staking.send(governance, 'slash', [runner, 3n, 'late']);
    expect(staking.event(receipt, 'BondChanged')).toEqual({ runner, bond: MIN_BOND + 2n });
    expect(await staking.read('isBonded', [runner])).toBe(true);
    expect(await chain.balance(BURN)).toBe(3n);
  });

  it('leaves delegated stake alone', async () => {
    await staking.send(runner, 'delegate', [runner], MIN_STAKE + 100n);
    await staking.send(runner, 'requestUndelegate', [runner, 40n]);
    const tooMuch = [runner, MIN_BOND + 1n, ''] as const;
    await staking.refuses(governance, 'slash', tooMuch, 'InsufficientBond', [MIN_BOND, MIN_BOND + 1n]);
    await staking.send(governance, 'slash', [runner, MIN_BOND, '']);
    expect(await staking.read('isBonded', [runner])).toBe(false);
    expect(await staking.read('stakeOf', [runner, runner])).toBe(MIN_STAKE + 60n);
  });
});

describe('penalize', () => {
  const penalize = (amount: bigint) => staking.send(audits.address, 'penalize', [runner, amount, 'audit']);

  it('is for Audits alone', async () => {
    for (const other of [alice, governance, runner]) {
      await staking.refuses(other, 'penalize', [runner, 1n, ''], 'NotAudits', [other]);
    }
    const long = 'x'.repeat(1025);
    await staking.refuses(audits.address, 'penalize', [runner, 1n, long], 'TextTooLong', [1025n, 1024n]);
  });

  it('takes what there is, the bond first, and burns it', async () => {
    for (const amount of [5n, 6n]) await staking.send(runner, 'requestUnbond', [amount]);
    const receipt = await penalize(MIN_BOND - 11n + 2n);
    expect(staking.event(receipt, 'Slashed')).toMatchObject({ runner, amount: MIN_BOND - 9n, reason: 'audit' });
    expect((await staking.read('unbondings', [runner])).map(({ amount }) => amount)).toEqual([5n, 4n]);
    const rest = await penalize(MIN_BOND);
    expect(staking.event(rest, 'Slashed').amount).toBe(9n);
    expect(staking.events(rest, 'BondChanged')).toEqual([]);
    expect(await chain.balance(BURN)).toBe(MIN_BOND);
    // Of nothing it takes nothing, and says nothing.
    const nothing = await penalize(1n);
    expect(nothing.logs).toEqual([]);
    expect((await penalize(0n)).logs).toEqual([]);
  });
});

describe('announce', () => {
  it('tells where a bonded runner is reached, and takes it back', async () => {
    for (const endpoint of ['https://runner.example:8000/v1', 'http://10.0.0.1', '']) {
      const receipt = await staking.send(runner, 'announce', [endpoint]);
      expect(staking.event(receipt, 'EndpointAnnounced')).toEqual({ runner, endpoint });
    }
  });

  it('refuses others, and what is no URL', async () => {
    await staking.refuses(alice, 'announce', ['http://a'], 'NotBondedRunner', [alice]);
    for (const bad of ['h', 'http:/', 'ftp://a', 'javascript:alert(1)', 'HTTPS://a', 'https:/ /a']) {
      await staking.refuses(runner, 'announce', [bad], 'BadEndpoint', [bad]);
    }
    const longest = `http://${'a'.repeat(249)}`;
    await staking.send(runner, 'announce', [longest]);
    await staking.refuses(runner, 'announce', [`${longest}a`], 'TextTooLong', [257n, 256n]);
  });
});

describe('seats', () => {
  const seatsAt = async (block: bigint): Promise<string[]> => {
    const count = Number(await staking.read('seatCountAt', [block]));
    // One more: there is nobody on a seat that isn't there.
    const seats = await Promise.all(
      Array.from({ length: count + 1 }, (_, seat) => staking.read('seatAt', [BigInt(seat), block])),
    );
    expect(seats.pop()).toBe(zeroAddress);
    return seats;
  };

  it('are taken at the end, and the last one moves into the one that is freed', async () => {
    const start = await chain.client.getBlockNumber();
    await staking.send(alice, 'bond', [], MIN_BOND);
    await staking.send(bob, 'bond', [], MIN_BOND - 1n);
    await staking.send(runner, 'requestUnbond', [1n]);
    await staking.send(bob, 'bond', [], 1n);
    await staking.send(bob, 'requestUnbond', [MIN_BOND]);
    expect(await seatsAt(start)).toEqual([runner, otherRunner]);
    expect(await seatsAt(start + 1n)).toEqual([runner, otherRunner, alice]);
    expect(await seatsAt(start + 2n)).toEqual([runner, otherRunner, alice]);
    expect(await seatsAt(start + 3n)).toEqual([alice, otherRunner]);
    expect(await seatsAt(start + 4n)).toEqual([alice, otherRunner, bob]);
    expect(await seatsAt(start + 5n)).toEqual([alice, otherRunner]);
    expect(await seatsAt(0n)).toEqual([]);
  });

  it('are those of the bonded runners at each past block, whatever happened', async () => {
    const who = [alice, bob, carol, runner, otherRunner];
    const step = fc.record({
      action: fc.constantFrom('bond', 'unbond', 'slash', 'penalize'),
      who: fc.constantFrom(...who),
      amount: fc.constantFrom(1n, MIN_BOND / 2n, MIN_BOND, 2n * MIN_BOND),
      // Some change more than once within a block.
      sameBlock: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30, size: 'max' }), async (steps) => {
        const snapshot = await chain.client.snapshot();
        await chain.client.setAutomine(false);
        const expected = new Map<bigint, string[]>();
        for (const [i, { action, who: one, amount, sameBlock }] of steps.entries()) {
          const from = { bond: one, unbond: one, slash: governance, penalize: audits.address }[action];
          const data = {
            bond: staking.data('bond', []),
            unbond: staking.data('requestUnbond', [amount]),
            slash: staking.data('slash', [one, amount, '']),
            penalize: staking.data('penalize', [one, amount, '']),
          }[action];
          await chain.enqueue({ from, to: staking.address, data, value: action === 'bond' ? amount : 0n });
          if (sameBlock && i < steps.length - 1) continue;
          await chain.client.mine({ blocks: 1 });
          const bonded = await Promise.all(who.map((each) => staking.read('isBonded', [each])));
          expected.set(await chain.client.getBlockNumber(), who.filter((_, index) => bonded[index]).sort());
        }
        for (const [block, bonded] of expected) expect((await seatsAt(block)).sort()).toEqual(bonded);
        await chain.client.setAutomine(true);
        await chain.client.revert({ id: snapshot });
      }),
      { numRuns: 25 },
    );
  }, 240_000);
});

describe('any sequence', () => {
  it('keeps the balance equal to bonds, stakes and unbondings', async () => {
    const step = fc.record({
      action: fc.constantFrom('bond', 'unbond', 'delegate', 'undelegate', 'withdraw', 'slash', 'wait'),
      who: fc.constantFrom(alice, bob),
      amount: fc.bigInt({ min: 1n, max: 2n * MIN_BOND }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30, size: 'max' }), async (steps) => {
        const snapshot = await chain.client.snapshot();
        for (const { action, who, amount } of steps) {
          const send = (data: `0x${string}`, value = 0n, from = who) =>
            chain.send({ from, to: staking.address, data, value });
          if (action === 'bond') await send(staking.data('bond', []), amount);
          if (action === 'unbond') await send(staking.data('requestUnbond', [amount]));
          if (action === 'delegate') await send(staking.data('delegate', [alice]), amount);
          if (action === 'undelegate') await send(staking.data('requestUndelegate', [alice, amount]));
          if (action === 'withdraw') await send(staking.data('withdraw', []));
          if (action === 'slash') await send(staking.data('slash', [who, amount, '']), 0n, governance);
          if (action === 'wait') await chain.warp(UNBONDING_SECONDS / 2n);
        }
        let owed = 2n * MIN_BOND; // the two runners of the set-up
        for (const who of [alice, bob]) {
          owed += await staking.read('bondOf', [who]);
          owed += await staking.read('stakeOf', [who, alice]);
          for (const { amount } of await staking.read('unbondings', [who])) owed += amount;
        }
        expect(await chain.balance(staking.address)).toBe(owed);
        await chain.client.revert({ id: snapshot });
      }),
      { numRuns: 25 },
    );
  }, 240_000);
});

describe('history', () => {
  it('tells who shared the stakers part at the end of any block', async () => {
    const at = () => chain.client.getBlockNumber();
    const stakes = async (block: bigint) => {
      const [who, amounts] = await staking.read('stakersAt', [runner, block]);
      return Object.fromEntries(who.map((account, i) => [account, amounts[i]]).filter(([, amount]) => amount !== 0n));
    };
    const start = await at();
    await staking.send(alice, 'delegate', [runner], MIN_STAKE);
    await staking.send(runner, 'delegate', [runner], 2n * MIN_STAKE);
    const both = await at();
    await staking.send(alice, 'requestUndelegate', [runner, MIN_STAKE]);
    const left = await at();
    // Takes the slot that alice left; her history stays hers.
    await staking.send(bob, 'delegate', [runner], 3n * MIN_STAKE);
    const taken = await at();
    await staking.send(runner, 'requestUnbond', [1n]);
    expect(await stakes(start - 1n)).toEqual({ [runner]: MIN_BOND });
    expect(await stakes(both)).toEqual({ [runner]: MIN_BOND + 2n * MIN_STAKE, [alice]: MIN_STAKE });
    expect(await stakes(left)).toEqual({ [runner]: MIN_BOND + 2n * MIN_STAKE });
    expect(await stakes(taken)).toEqual({ [runner]: MIN_BOND + 2n * MIN_STAKE, [bob]: 3n * MIN_STAKE });
    expect(await stakes(await at())).toEqual({ [runner]: MIN_BOND + 2n * MIN_STAKE - 1n, [bob]: 3n * MIN_STAKE });
    const [who] = await staking.read('stakersAt', [runner, await at()]);
    expect(who.length).toBe(3);
  });

  it('has a bounded number of delegators, none of whom leaves dust behind', async () => {
    const most = Number(await staking.read('MAX_STAKERS', []));
    const staker = (i: number): `0x${string}` => `0x${(i + 1).toString(16).padStart(40, '5')}`;
    for (let i = 0; i <= most; i++) {
      await chain.client.setBalance({ address: staker(i), value: 2n * MIN_BOND });
      if (i < most) await staking.send(staker(i), 'delegate', [runner], MIN_STAKE);
    }
    await staking.refuses(staker(most), 'delegate', [runner], 'TooManyStakers', [runner], MIN_STAKE);
    await staking.refuses(staker(0), 'requestUndelegate', [runner, MIN_STAKE - 1n], 'StakeTooLow', [1n, MIN_STAKE]);
    await staking.send(staker(0), 'requestUndelegate', [runner, MIN_STAKE]);
    await staking.send(staker(most), 'delegate', [runner], MIN_STAKE);
  }, 30_000);
});
