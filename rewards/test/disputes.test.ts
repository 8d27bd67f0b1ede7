import { NATIVE_TOKEN } from '@openledger/chain-config';
import { type Address, hexToBytes } from 'viem';
import { describe, expect, it } from 'vitest';
import { bob, carol, DISPUTE_WINDOW, REQUEST_FEE, ROOT_BOND } from '../../contracts/test/support/system.ts';
import { challengeCall } from '../src/challenge/challengeCalls.ts';
import type { Fault } from '../src/challenge/findFault.ts';
import { accountEnd } from '../src/trace/accountEnd.ts';
import { type readChunk, receiptOf, type TraceRecord } from '../src/trace/format.ts';
import type { ProvenChunk } from '../src/trace/partView.ts';
import {
  accounts,
  added,
  at,
  carried,
  chain,
  challengeOf,
  changed,
  disputes,
  find,
  first,
  history,
  last,
  nobody,
  otherLeaves,
  propose,
  records,
  refuses,
  rewards,
  second,
  send,
  some,
  without,
  word,
} from './chain/disputed.ts';
import { type Forged, forge } from './chain/forge.ts';
import { ella } from './chain/history.ts';

const frauds: [string, string, () => Forged][] = [
  ['pays too much for a receipt', 'receipt', () => forge(second.epoch, changed(some, at(some).amount + 1n))],
  ['pays too little for a receipt', 'receipt', () => forge(second.epoch, changed(some, at(some).amount - 1n))],
  ['pays its last record twice as much', 'receipt', () => forge(second.epoch, changed(last, 2n * at(last).amount))],
  ['pays somebody else for a receipt', 'receipt', () => forge(second.epoch, added(nobody, at(some).receipt, 5n))],
  [
    'pays for an output that does not exist',
    'receipt',
    () => forge(second.epoch, added(ella, receiptOf({ batch: 3, page: 0, output: 777 }), 5n)),
  ],
  [
    'pays for a batch that does not exist',
    'receipt',
    () => forge(second.epoch, added(ella, receiptOf({ batch: 999, page: 0, output: 0 }), 5n)),
  ],
  [
    'pays a receipt of the epoch before again',
    'receipt',
    () => {
      const old = first.records.at(-1) as TraceRecord;
      return forge(second.epoch, added(old.account, old.receipt, old.amount));
    },
  ],
  ['leaves out a record', 'receipt', () => forge(second.epoch, without(some))],
  ['leaves out the first record of a chunk', 'receipt', () => forge(second.epoch, without(64))],
  ['leaves out its last record', 'receipt', () => forge(second.epoch, without(last))],
  [
    'leaves out the end of its records',
    'receipt',
    () => forge(second.epoch, records.slice(0, 64 * Math.floor(last / 64))),
  ],
  [
    'inflates what an account brings along',
    'carry',
    () => forge(second.epoch, changed(carried, at(carried).amount + 9n)),
  ],
  ['drops what an account brings along', 'carry', () => forge(second.epoch, without(carried))],
  ['invents what an account brings along', 'carry', () => forge(second.epoch, added(nobody, 0n, 9n))],
  [
    'swaps two records',
    'chunk',
    () =>
      forge(second.epoch, records, {
        chunks: ([one, ...rest]) => [
          {
            ...(one as never as { ofAccount: bigint; ofAll: bigint; accounts: bigint }),
            records: [...(one?.records ?? [])].reverse(),
          },
          ...rest,
        ],
      }),
  ],
  ['has a record of nothing', 'chunk', () => forge(second.epoch, added(nobody, at(some).receipt, 0n))],
  [
    'starts with a total',
    'chunk',
    () =>
      forge(second.epoch, records, {
        chunks: ([one, ...rest]) => [{ ...(one as never as ReturnType<typeof readChunk>), ofAll: 1n }, ...rest],
      }),
  ],
  ...(['ofAccount', 'ofAll', 'accounts'] as const).map((field): [string, string, () => Forged] => [
    `carries another ${field} over a seam`,
    'seam',
    () =>
      forge(second.epoch, records, {
        chunks: (all) => all.map((chunk, i) => (i === 1 ? { ...chunk, [field]: chunk[field] + 1n } : chunk)),
      }),
  ]),
  ['states another total', 'chunk', () => forge(second.epoch, records, { total: second.epoch.total - 1n })],
  [
    'proposes a root that is not the top of its tree',
    'node',
    () => forge(second.epoch, records, { root: history.platform.padEnd(66, '7') as `0x${string}` }),
  ],
  ['has a node that is not the hash of its children', 'node', () => forge(second.epoch, records, { words: word(5) })],
  ['has a top that is not the hash of its children', 'node', () => forge(second.epoch, records, { words: word(0) })],
  [
    'has another leaf under a right node',
    'node',
    () => forge(second.epoch, records, { words: word(2 * accounts - 3) }),
  ],
  [
    'pays more in the tree than in the trace',
    'missing',
    () => otherLeaves((all) => all.set(at(0).account, 1n + (all.get(at(0).account) ?? 0n))),
  ],
  [
    'puts a leaf of nobody in the place of an account',
    'missing',
    () =>
      otherLeaves((all) => {
        all.delete(at(last).account);
        all.set(nobody, 10n ** 20n);
      }),
  ],
  ...Array.from({ length: 6 }, (_, n): [string, string, () => Forged] => [
    `changes the leaf of account ${n * 7}`,
    'missing',
    () => otherLeaves((all) => all.set(second.epoch.leaves[n * 7]?.account as Address, BigInt(n) + 1n)),
  ]),
];

describe('an epoch that', () => {
  it.each(frauds)('%s is rejected: %s', async (_what, reason, make) => {
    const forged = make();
    const epoch = await propose(forged);
    const fault = find(forged);
    if (!fault || fault.kind === 'request') throw new Error(`no fault was found: ${fault?.kind}`);
    const call = await challengeOf(epoch, fault);
    const before = await chain.balance(bob);
    const receipt = await send(call);
    expect(rewards.event(receipt, 'RootRejected')).toEqual({ epoch, challenger: bob, reason });
    expect((await chain.balance(bob)) - before).toBe(ROOT_BOND / 2n);
    expect((await rewards.read('totals', []))[2]).toBe(0n);
    expect(Number(receipt.gasUsed)).toBeLessThan(16_777_216);
    await refuses(call, 'NotProposed', [epoch]);
    // What it left undone rolls over: the same blocks again, right this time.
    const again = await propose(forge(second.epoch, records));
    await chain.warp(DISPUTE_WINDOW);
    await rewards.send(carol, 'finalize', [again]);
    expect(await rewards.read('root', [])).toBe(second.epoch.root);
  });

  it('is right has no fault, and every challenge of it fails', async () => {
    const honest = forge(second.epoch, records);
    expect(honest.proposal.root).toBe(second.epoch.root);
    expect(honest.proposal.traceRoot).toBe(second.epoch.trace.root);
    expect(honest.proposal.treeRoot).toBe(second.epoch.nodes.root);
    expect(find(honest)).toBeUndefined();
    const epoch = await propose(honest);
    const wrong = [epoch];
    const count = Math.ceil(records.length / 64);
    const noWindow = { index: 0n, chunk: new Uint8Array(), proof: [], next: new Uint8Array(), nextProof: [] };
    for (let i = 0; i < count; i++) {
      const chunk = second.trace.chunk(i) as ProvenChunk;
      const next = second.trace.chunk(i + 1);
      const window = { ...noWindow, index: BigInt(i), chunk: chunk.bytes, proof: chunk.proof };
      await refuses(challengeCall(epoch, { kind: 'chunk', window }, {}), 'NotWrong', wrong);
      if (!next) continue;
      const both = { ...window, next: next.bytes, nextProof: next.proof };
      await refuses(challengeCall(epoch, { kind: 'seam', window: both }, {}), 'NotWrong', wrong);
    }
    // One record of each receipt, as it is and as if it were nobody's.
    const seen = new Set<bigint>();
    for (const [index, { account, receipt }] of records.entries()) {
      if (seen.has(receipt)) continue;
      seen.add(receipt);
      const chunk = second.trace.chunk(Math.floor(index / 64)) as ProvenChunk;
      const window = { ...noWindow, index: BigInt(Math.floor(index / 64)), chunk: chunk.bytes, proof: chunk.proof };
      const fault = { kind: 'record', account, receipt, proposed: 0n, computed: 0n, window } as const;
      await refuses(await challengeOf(epoch, fault), 'NotWrong', wrong);
      const none = { ...fault, account: nobody, window: accountEnd(second.trace, records.length, nobody) };
      await refuses(await challengeOf(epoch, none), 'NotWrong', wrong);
    }
    const word = (node: number) => {
      const { bytes, proof } = second.nodes.chunk(Math.floor(node / 64)) as ProvenChunk;
      return { index: BigInt(Math.floor(node / 64)), words: bytes, proof };
    };
    await refuses(challengeCall(epoch, { kind: 'root', chunk: word(0) }, {}), 'NotWrong', wrong);
    for (let node = 0; node < accounts - 1; node += 9) {
      const chunks = [word(node), word(2 * node + 1), word(2 * node + 2)] as const;
      await refuses(challengeCall(epoch, { kind: 'node', node: BigInt(node), chunks }, {}), 'NotWrong', wrong);
    }
    for (let place = accounts; place < 2 * accounts - 1; place += 9) {
      const { account } = at(last);
      const fault = { kind: 'missing', account, place: BigInt(place), chunks: [word(place - 1), word(place)] } as const;
      await refuses(await challengeOf(epoch, fault), 'NotWrong', wrong);
    }
  }, 60_000);
});

describe('outside of the window', () => {
  it('nothing can be challenged or asked for, and only the disputes contract rejects', async () => {
    const forged = forge(second.epoch, changed(some, 1n));
    const epoch = await propose(forged);
    const fault = find(forged) as Exclude<Fault, { kind: 'request' }>;
    const call = await challengeOf(epoch, fault);
    await rewards.refuses(bob, 'reject', [epoch, bob, 'receipt'], 'NotDisputes', [bob]);
    await rewards.refuses(bob, 'extendWindow', [epoch, 1n], 'NotDisputes', [bob]);
    const { disputableUntil } = await rewards.read('epochInfo', [epoch]);
    await chain.at(disputableUntil);
    await refuses(call, 'WindowOver', [epoch, disputableUntil]);
    await disputes.refuses(bob, 'requestChunk', [epoch, 0, 0n], 'WindowOver', [epoch, disputableUntil], REQUEST_FEE);
  });
});

describe('the leaves', () => {
  it('are those that OpenZeppelin’s tree has, and pay', async () => {
    const claim = second.epoch.tree.claimOf(ella);
    const args = [ella, NATIVE_TOKEN, claim?.cumulative ?? 0n, claim?.proof ?? []] as const;
    const epoch = await propose(forge(second.epoch, records));
    await chain.warp(DISPUTE_WINDOW);
    await rewards.send(bob, 'finalize', [epoch]);
    await rewards.send(bob, 'claim', args);
    expect(await rewards.read('claimed', [ella])).toBe(claim?.cumulative);
    expect(hexToBytes(second.epoch.root)).toHaveLength(32);
  });
});
