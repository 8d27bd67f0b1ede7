import { NATIVE_TOKEN } from '@openledger/chain-config';
import { rewardDisputesAbi } from '@openledger/contracts';
import { type Address, hexToBytes, parseEther, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { isolateTests, startChain } from '../../contracts/test/support/chain.ts';
import {
  bob,
  carol,
  DISPUTE_WINDOW,
  REQUEST_FEE,
  RESPONSE_WINDOW,
  ROOT_BOND,
} from '../../contracts/test/support/system.ts';
import { type Call, challengeCall, requestCall, scanCall, showCall } from '../src/challenge/challengeCalls.ts';
import { type Fault, findFault } from '../src/challenge/findFault.ts';
import { computeEpoch, type EpochLedger } from '../src/epoch/computeEpoch.ts';
import { accountEnd } from '../src/trace/accountEnd.ts';
import { placeOf, readChunk, receiptOf, type TraceRecord } from '../src/trace/format.ts';
import { type PartView, type ProvenChunk, parts, shownPart, wholePart } from '../src/trace/partView.ts';
import { type Forged, forge } from './chain/forge.ts';
import { alice, ella, playHistory } from './chain/history.ts';
import { evidenceFor } from './chain/openBatch.ts';
import { playChain } from './chain/playChain.ts';

const chain = await startChain();
const played = await playChain(chain);
const history = await playHistory(played);
const { rewards, disputes, recompute } = played;

/** An epoch computed from the log, with its trace in memory. */
const compute = async (fromBlock: bigint, toBlock: bigint) => {
  const chunks: Uint8Array[] = [];
  const reader = await played.reader();
  const range = { reader, chainId: 1, fromBlock, toBlock, rules: { platform: history.platform } };
  const epoch: EpochLedger = await computeEpoch(range, (chunk) => {
    chunks.push(chunk.slice());
  });
  const trace = wholePart(epoch.trace, (index) => chunks[index] as Uint8Array);
  const nodes = wholePart(epoch.nodes, (index) => epoch.tree.chunk(index));
  return { epoch, trace, nodes, records: chunks.flatMap((chunk) => readChunk(chunk).records) };
};

const first = await compute(0n, history.firstEpochAt);
const head = (await (await played.reader()).head())?.number ?? 0n;
const second = await compute(history.firstEpochAt, head);

const propose = async ({ proposal }: Pick<Forged, 'proposal'>) => {
  const prevRoot = await rewards.read('root', []);
  await rewards.send(alice, 'proposeRoot', [{ ...proposal, prevRoot }], ROOT_BOND);
  return rewards.read('currentEpoch', []);
};

// More than was settled: so that what stops a greedy proposer is the challenge and not the lack of money.
await rewards.send(alice, 'fund', [], parseEther('100'));
await propose(forge(first.epoch, first.records));
await chain.warp(DISPUTE_WINDOW);
await rewards.send(bob, 'finalize', [1n]);
isolateTests(chain);

const contractOf = (call: Call) => (call.abi === (rewardDisputesAbi as unknown) ? disputes : recompute);
type Sends = {
  send(from: Address, name: string, args: unknown, value?: bigint): ReturnType<typeof chain.send>;
  refuses(from: Address, name: string, args: unknown, error: string, errorArgs: unknown[]): Promise<void>;
};
const send = (call: Call, value = 0n) =>
  (contractOf(call) as unknown as Sends).send(bob, call.functionName, call.args, value);
const refuses = (call: Call, error: string, args: unknown[]) =>
  (contractOf(call) as unknown as Sends).refuses(bob, call.functionName, call.args, error, args);

/** The transaction that shows a fault, after the scans that it needs. */
const challengeOf = async (epoch: bigint, fault: Exclude<Fault, { kind: 'request' }>): Promise<Call> => {
  const account = 'account' in fault ? fault.account : undefined;
  const previous = account && accountEnd(first.trace, Number(first.epoch.records), account);
  const end = account && accountEnd(second.trace, Number(second.epoch.records), account);
  if (fault.kind !== 'record' || fault.receipt === 0n) return challengeCall(epoch, fault, { previous, end });
  const place = placeOf(fault.receipt);
  const { evidence, scans } = await evidenceFor(played, history.platform, place);
  for (const scan of scans) {
    const { batch, sourceKind, sourceId, target, pages } = scan;
    const { next } = await recompute.read('scanned', [batch.batchIndex, sourceKind, sourceId, target]);
    if (Number(next) < pages.length) await send(scanCall(scan, Number(next), pages.length));
  }
  return challengeCall(epoch, fault, { evidence });
};

const find = (forged: Forged, views: { trace: PartView; nodes: PartView } = forged): Fault | undefined =>
  findFault(forged.proposal, views, second);

const { records } = second;
const last = records.length - 1;
/** A record in the middle of the first chunk that is no carry. */
const some = records.findIndex(({ receipt }, i) => i > 10 && receipt > 0n);
const carried = records.findIndex(({ receipt }) => receipt === 0n);
const at = (index: number) => records[index] as TraceRecord;
const without = (index: number) => records.filter((_, i) => i !== index);
const changed = (index: number, amount: bigint) =>
  records.map((record, i) => (i === index ? { ...record, amount } : record));
const sorted = (all: readonly TraceRecord[]) =>
  [...all].sort((a, b) =>
    a.account !== b.account ? (a.account < b.account ? -1 : 1) : a.receipt < b.receipt ? -1 : 1,
  );
const added = (account: Address, receipt: bigint, amount: bigint) =>
  sorted([...records, { account: account.toLowerCase() as Address, receipt, amount }]);
const nobody: Address = '0x7777777777777777777777777777777777777777';
const word = (index: number) => (words: Uint8Array) => words.set(new Uint8Array(32).fill(7), 32 * index);
const accounts = second.epoch.leaves.length;

/** Leaves other than those of the trace, under a tree that fits them. */
const otherLeaves = (change: (all: Map<Address, bigint>) => void) => {
  const all = new Map(second.epoch.leaves.map(({ account, cumulative }) => [account, cumulative]));
  change(all);
  const made = [...all].map(([account, amount]) => ({ account, receipt: 1n, amount }));
  const honest = forge(second.epoch, records);
  const { proposal, nodes } = forge(second.epoch, made);
  const { root, treeRoot } = proposal;
  return { ...honest, nodes, proposal: { ...honest.proposal, root, treeRoot } };
};

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

describe('a trace that nobody has published', () => {
  const hidden = () => forge(second.epoch, without(some));

  it('is shown chunk by chunk when it is asked for, until the fault is seen', async () => {
    const forged = hidden();
    const epoch = await propose(forged);
    const shown = new Map<number, ProvenChunk>();
    const views = () => ({ trace: shownPart(forged.proposal.traceRoot, shown), nodes: forged.nodes });
    let fault = find(forged, views());
    let asked = 0;
    for (; fault?.kind === 'request'; asked++) {
      const before = await chain.balance(carol);
      await send(requestCall(epoch, 'trace', fault.index), REQUEST_FEE);
      const chunk = forged.trace.chunk(fault.index) as ProvenChunk;
      const { args } = showCall(epoch, parts.trace, BigInt(fault.index), chunk.bytes, chunk.proof);
      await disputes.send(carol, 'showChunk', args as never);
      expect((await chain.balance(carol)) - before).toBe(REQUEST_FEE);
      shown.set(fault.index, chunk);
      fault = find(forged, views());
    }
    expect(asked).toBeGreaterThan(0);
    if (!fault) throw new Error('no fault');
    const receipt = await send(await challengeOf(epoch, fault));
    expect(rewards.event(receipt, 'RootRejected').reason).toBe('receipt');
  });

  it('is rejected when it is not shown in time', async () => {
    const epoch = await propose(hidden());
    const none = new Map<number, ProvenChunk>();
    expect(find(hidden(), { trace: shownPart(hidden().proposal.traceRoot, none), nodes: hidden().nodes })).toEqual({
      kind: 'request',
      part: 'trace',
      index: 0,
    });
    // In the last second of the window, which then stays open.
    await chain.next((await rewards.read('epochInfo', [epoch])).disputableUntil - 1n);
    await disputes.send(bob, 'requestChunk', [epoch, parts.trace, 0n], REQUEST_FEE);
    const { deadline } = await disputes.read('requestOf', [epoch, parts.trace, 0n]);
    expect((await rewards.read('epochInfo', [epoch])).disputableUntil).toBe(deadline + RESPONSE_WINDOW);
    await disputes.refuses(bob, 'rejectUnanswered', [epoch, parts.trace, 0n], 'StillTime', [epoch, deadline]);
    await chain.at(deadline);
    const before = await chain.balance(bob);
    const receipt = await disputes.send(carol, 'rejectUnanswered', [epoch, parts.trace, 0n]);
    expect(rewards.event(receipt, 'RootRejected')).toEqual({ epoch, challenger: bob, reason: 'silence' });
    expect((await chain.balance(bob)) - before).toBe(ROOT_BOND / 2n + REQUEST_FEE);
    expect(await chain.balance(disputes.address)).toBe(0n);
  });

  it('can be asked for in bounds, once, at a price, and shown only as it is', async () => {
    const forged = hidden();
    const epoch = await propose(forged);
    const count = BigInt(Math.ceil((records.length - 1) / 64));
    const ask = (part: number, index: bigint) => [epoch, part, index] as const;
    await disputes.refuses(bob, 'requestChunk', ask(0, 0n), 'WrongFee', [0n, REQUEST_FEE]);
    await disputes.refuses(bob, 'requestChunk', ask(0, count), 'NoChunk', [count, count], REQUEST_FEE);
    await disputes.send(bob, 'requestChunk', ask(0, 1n), REQUEST_FEE);
    const { deadline } = await disputes.read('requestOf', [epoch, 0, 1n]);
    await disputes.refuses(bob, 'requestChunk', ask(0, 1n), 'AlreadyRequested', [epoch, deadline], REQUEST_FEE);
    const one = forged.trace.chunk(1) as ProvenChunk;
    const other = forged.trace.chunk(0) as ProvenChunk;
    const show = (index: bigint, { bytes, proof }: ProvenChunk) => showCall(epoch, 0, index, bytes, proof);
    await refuses(show(0n, other), 'NotRequested', [epoch]);
    await refuses(show(1n, other), 'NotInTree', [1n]);
    await refuses(show(1n, { ...one, proof: [...one.proof, zeroHash] }), 'NotInTree', [1n]);
    await send(show(1n, one));
    await refuses(show(1n, one), 'NotRequested', [epoch]);
    await disputes.refuses(bob, 'rejectUnanswered', ask(0, 1n), 'NotRequested', [epoch]);
    const nodes = forged.nodes.chunk(0) as ProvenChunk;
    await disputes.send(bob, 'requestChunk', ask(1, 0n), REQUEST_FEE);
    await send(showCall(epoch, 1, 0n, nodes.bytes, nodes.proof));
  });
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
