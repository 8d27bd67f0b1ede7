import { type Address, parseEther } from 'viem';
import { accounts } from '../../../contracts/test/support/chain.ts';
import { governance, runner } from '../../../contracts/test/support/system.ts';
import type { PlayedChain } from './playChain.ts';

const address = (index: number): Address => accounts[index]?.address as Address;
export const [alice, bob, carol, dora, ella] = [1, 2, 3, 6, 7].map(address) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];

/** Contributors that make the trace and the tree longer than a chunk. */
const CROWD = 75;

/**
 * A history that has everything that the rules speak of: near duplicates, a capped contributor, several sources over several
 * pages, pages that are malformed or belong to nobody, unknown models, evidence of nothing, trainings drawn from, owners and
 * stakers that change, money that goes back.
 */
export const playHistory = async (chain: PlayedChain) => {
  const { staking, models, datanets, jobs, take, output } = chain;
  const net = await chain.datanet();
  const original = await chain.contribute(net, alice);
  const copy = await chain.contribute(net, bob, original);
  const other = await chain.contribute(net, carol);
  const pending = await chain.contribute(net, dora, 0n, false);
  const third = await chain.contribute(net, ella);
  const crowd: number[] = [];
  for (let i = 1; i <= CROWD; i++) {
    const someone: Address = `0x${i.toString(16).padStart(4, '0').repeat(10)}`;
    crowd.push(Number(await chain.contribute(net, someone)));
  }
  take(await datanets.send(governance, 'publishVersion', [net]));
  const base = await chain.base(alice);
  const firstEpochAt = { block: 0n };

  take(await staking.send(dora, 'delegate', [runner], parseEther('3')));
  const one = await chain.channel(2);
  const two = await chain.channel(3);
  const channel = (given: { id: bigint }) => ({ kind: 2 as const, id: given.id });
  const ids = { original: Number(original), copy: Number(copy), other: Number(other), third: Number(third) };
  // Two sources that mix on two pages, a page that nobody reads, an output of an unknown model, one without weight.
  await chain.settle(
    [
      { channel: one, cumulative: 1_000_000_000_000_000_007n },
      { channel: two, cumulative: 777n },
    ],
    [
      [
        output(channel(one), base, 5n, { [ids.original]: 3, [ids.copy]: 9, [ids.other]: 4 }),
        output(channel(two), base, 1n, { [ids.other]: 1 }),
        output(channel(one), 99n, 2n),
        output(channel(one), base, 0n, { [ids.other]: 1 }),
      ],
      'malformed',
      [
        output(channel(one), base, 7n, { [ids.original]: 1000, [ids.third]: 1 }),
        output({ kind: 2, id: 55n }, base, 9n),
      ],
    ],
  );
  firstEpochAt.block = BigInt((await chain.reader().then((reader) => reader.head()))?.number ?? 0n);

  // Nothing payable at all: goes back to the payer. The same channel twice in one settlement counts as one.
  await chain.settle([{ channel: two, cumulative: 1000n }], ['malformed']);
  await chain.settle(
    [
      { channel: two, cumulative: 1500n },
      { channel: two, cumulative: 2003n },
    ],
    [[output(channel(two), base, 1n, { [ids.other]: 2, [ids.third]: 3 }), output(channel(two), base, 2n)]],
  );
  await chain.settle(
    [{ channel: one, cumulative: 1_500_000_000_000_000_000n }],
    [
      [
        output(channel(one), base, 1n, Object.fromEntries(crowd.map((id, i) => [id, 1 + (i % 7)]))),
        output(channel(one), base, 2n, Object.fromEntries(crowd.map((id, i) => [id, 1 + (i % 5)]))),
      ],
    ],
  );
  // A training with two outputs, from which answers without evidence draw; then a transfer of the adapter.
  const job = (id: bigint) => ({ kind: 1 as const, id });
  const adapter = await chain.train(bob, base, net, parseEther('1'), (id) => [
    [output(job(id), base, 3n, { [ids.original]: 10, [ids.other]: 5 })],
    [output(job(id), base, 1n, { [ids.third]: 2, [Number(pending)]: 100 })],
  ]);
  // The adapter refined by somebody else: three generations share in what the last one earns.
  const refined = await chain.train(carol, adapter, net, 30_003n, (id) => [
    [output(job(id), adapter, 1n, { [ids.other]: 3 })],
  ]);
  const bare = await chain.train(bob, base, net, 20_001n, () => ['malformed']);
  take(await models.send(bob, 'transferModel', [adapter, ella]));
  take(await staking.send(ella, 'delegate', [runner], parseEther('1')));
  take(await staking.send(dora, 'requestUndelegate', [runner, parseEther('3')]));
  await chain.append([[output(channel(one), base, 1n, { [ids.other]: 1 })]]);
  await chain.settle(
    [{ channel: one, cumulative: 2_000_000_000_000_000_000n }],
    [
      [
        ...Array.from({ length: 5 }, () => output(channel(one), adapter, 2n)),
        output(channel(one), bare, 1n),
        output(channel(one), refined, 2n, { [ids.third]: 1 }),
        output(channel(one), adapter, 1n, { [Number(pending)]: 1 }),
      ],
    ],
  );
  // Accepted only now: it counts from here on, not before.
  take(await datanets.send(governance, 'accept', [pending, 1, 0n]));
  take(
    await jobs.send(governance, 'setSplit', [{ owner: 1, runner: 2, contributors: 9000, stakers: 500, platform: 497 }]),
  );
  await chain.settle(
    [{ channel: one, cumulative: 2_000_000_000_000_123_457n }],
    [[output(channel(one), adapter, 1n, { [Number(pending)]: 5, [ids.third]: 5, [ids.other]: 4 })]],
  );
  // Escrow for single calls: one answered for less than it held, one whose answer nobody can read.
  const call = (id: bigint) => ({ kind: 3 as const, id });
  const answered = await chain.escrow(bob, adapter, 30_011n);
  const unread = await chain.escrow(carol, base, 5_003n);
  await chain.answer(
    [
      { jobId: answered, amount: 20_009n },
      { jobId: unread, amount: 5_003n },
    ],
    [[output(call(answered), adapter, 1n, { [ids.original]: 2, [ids.third]: 5 })], 'malformed'],
  );
  return { firstEpochAt: firstEpochAt.block, platform: governance };
};
