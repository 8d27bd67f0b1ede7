import { rewardDisputesAbi } from '@openledger/contracts';
import { type Address, parseEther } from 'viem';
import { isolateTests, startChain } from '../../../contracts/test/support/chain.ts';
import { bob, DISPUTE_WINDOW, ROOT_BOND } from '../../../contracts/test/support/system.ts';
import { type Call, challengeCall, scanCall } from '../../src/challenge/challengeCalls.ts';
import { type Fault, findFault } from '../../src/challenge/findFault.ts';
import { computeEpoch, type EpochLedger } from '../../src/epoch/computeEpoch.ts';
import { accountEnd } from '../../src/trace/accountEnd.ts';
import { placeOf, readChunk, type TraceRecord } from '../../src/trace/format.ts';
import { type PartView, wholePart } from '../../src/trace/partView.ts';
import { type Forged, forge } from './forge.ts';
import { alice, playHistory } from './history.ts';
import { evidenceFor } from './openBatch.ts';
import { playChain } from './playChain.ts';

/** A chain with a final epoch and what was settled since: what disputes are about. */
export const chain = await startChain();
export const played = await playChain(chain);
export const history = await playHistory(played);
export const { rewards, disputes, recompute } = played;

/** An epoch computed from the log, with its trace in memory. */
export const compute = async (fromBlock: bigint, toBlock: bigint) => {
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

export const first = await compute(0n, history.firstEpochAt);
export const head = (await (await played.reader()).head())?.number ?? 0n;
export const second = await compute(history.firstEpochAt, head);

export const propose = async ({ proposal }: Pick<Forged, 'proposal'>) => {
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

export const contractOf = (call: Call) => (call.abi === (rewardDisputesAbi as unknown) ? disputes : recompute);
export type Sends = {
  send(from: Address, name: string, args: unknown, value?: bigint): ReturnType<typeof chain.send>;
  refuses(from: Address, name: string, args: unknown, error: string, errorArgs: unknown[]): Promise<void>;
};
export const send = (call: Call, value = 0n) =>
  (contractOf(call) as unknown as Sends).send(bob, call.functionName, call.args, value);
export const refuses = (call: Call, error: string, args: unknown[]) =>
  (contractOf(call) as unknown as Sends).refuses(bob, call.functionName, call.args, error, args);

/** The transaction that shows a fault, after the scans that it needs. */
export const challengeOf = async (epoch: bigint, fault: Exclude<Fault, { kind: 'request' }>): Promise<Call> => {
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

export const find = (forged: Forged, views: { trace: PartView; nodes: PartView } = forged): Fault | undefined =>
  findFault(forged.proposal, views, second);

export const { records } = second;
export const last = records.length - 1;
/** A record in the middle of the first chunk that is no carry. */
export const some = records.findIndex(({ receipt }, i) => i > 10 && receipt > 0n);
export const carried = records.findIndex(({ receipt }) => receipt === 0n);
export const at = (index: number) => records[index] as TraceRecord;
export const without = (index: number) => records.filter((_, i) => i !== index);
export const changed = (index: number, amount: bigint) =>
  records.map((record, i) => (i === index ? { ...record, amount } : record));
export const sorted = (all: readonly TraceRecord[]) =>
  [...all].sort((a, b) =>
    a.account !== b.account ? (a.account < b.account ? -1 : 1) : a.receipt < b.receipt ? -1 : 1,
  );
export const added = (account: Address, receipt: bigint, amount: bigint) =>
  sorted([...records, { account: account.toLowerCase() as Address, receipt, amount }]);
export const nobody: Address = '0x7777777777777777777777777777777777777777';
export const word = (index: number) => (words: Uint8Array) => words.set(new Uint8Array(32).fill(7), 32 * index);
export const accounts = second.epoch.leaves.length;

/** Leaves other than those of the trace, under a tree that fits them. */
export const otherLeaves = (change: (all: Map<Address, bigint>) => void) => {
  const all = new Map(second.epoch.leaves.map(({ account, cumulative }) => [account, cumulative]));
  change(all);
  const made = [...all].map(([account, amount]) => ({ account, receipt: 1n, amount }));
  const honest = forge(second.epoch, records);
  const { proposal, nodes } = forge(second.epoch, made);
  const { root, treeRoot } = proposal;
  return { ...honest, nodes, proposal: { ...honest.proposal, root, treeRoot } };
};
