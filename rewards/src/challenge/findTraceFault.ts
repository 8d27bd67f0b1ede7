import type { Address, Hex } from 'viem';
import { CHUNK_RECORDS, keyOf, readChunk, type TraceChunk, type TraceRecord } from '../trace/format.ts';
import type { PartView } from '../trace/partView.ts';
import type { Honest, ProposedEpoch } from './findFault.ts';
import { ChunkNeeded, needChunk } from './proposedPart.ts';

/** RewardTrace.Window: a chunk and, where an answer needs it, the one after. */
export type Window = {
  readonly index: bigint;
  readonly chunk: Uint8Array;
  readonly proof: readonly Hex[];
  readonly next: Uint8Array;
  readonly nextProof: readonly Hex[];
};

export type TraceFault =
  | { readonly kind: 'chunk'; readonly window: Window }
  | { readonly kind: 'seam'; readonly window: Window }
  | {
      /** A record that should be another, should not be, or is missing. Receipt 0 is what the account brings along. */
      readonly kind: 'record';
      readonly account: Address;
      readonly receipt: bigint;
      readonly proposed: bigint;
      readonly computed: bigint;
      readonly window: Window;
    };

const nothing = { next: new Uint8Array(), nextProof: [] };

/** The first place where a proposed trace differs from the computed one, and how to show it. @throws ChunkNeeded */
export const findTraceFault = (proposed: ProposedEpoch, view: PartView, honest: Honest): TraceFault => {
  const count = Math.ceil(Number(proposed.records) / CHUNK_RECORDS);
  const index = firstDifferent(view, honest.trace, count);
  const window = windowAt(view, index, false);
  // The trace is right as far as it goes: only what the proposal says of it is wrong.
  if (index === count - 1 && sameChunk(view, honest.trace, index)) return endFault(view, honest, count, window);
  const ours = honest.trace.chunk(index);
  const [theirs, should] = [readChunk(window.chunk), ours ? readChunk(ours.bytes) : undefined];
  if (contradicts(theirs)) return { kind: 'chunk', window };
  const before = index > 0 ? () => windowAt(view, index - 1, true) : undefined;
  // A wrong header over the right account; over another one, the record is what to point at.
  if (should && theirs.records[0]?.account === should.records[0]?.account && !sameHeader(theirs, should)) {
    return before ? { kind: 'seam', window: before() } : { kind: 'chunk', window };
  }
  return recordFault(theirs, should?.records ?? [], window, before);
};

const recordFault = (
  theirs: TraceChunk,
  should: readonly TraceRecord[],
  window: Window,
  before: (() => Window) | undefined,
): TraceFault => {
  for (let i = 0; i < CHUNK_RECORDS; i++) {
    const [proposed, computed] = [theirs.records[i], should[i]];
    if (proposed && computed && same(proposed, computed)) continue;
    const [foreign, missing] = [proposed ? key(proposed) : undefined, computed ? key(computed) : undefined];
    if (proposed && (missing === undefined || (foreign as bigint) <= missing)) {
      const amount = foreign === missing ? (computed?.amount ?? 0n) : 0n;
      const { account, receipt } = proposed;
      return { kind: 'record', account, receipt, proposed: proposed.amount, computed: amount, window };
    }
    if (!computed) break;
    const { account, receipt, amount } = computed;
    // Before the chunk's first record, or behind its last: the gap is shown by two chunks.
    const gap = i === 0 && before ? before() : window;
    return { kind: 'record', account, receipt, proposed: 0n, computed: amount, window: gap };
  }
  // The same records under another header.
  return before ? { kind: 'seam', window: before() } : { kind: 'chunk', window };
};

/** All chunks are as they should be, so the proposal's figures are not, or it ends too early. */
const endFault = (view: PartView, honest: Honest, count: number, window: Window): TraceFault => {
  const next = honest.trace.chunk(count);
  const missing = next && readChunk(next.bytes).records[0];
  if (!missing) return { kind: 'chunk', window };
  const { account, receipt, amount } = missing;
  return {
    kind: 'record',
    account,
    receipt,
    proposed: 0n,
    computed: amount,
    window: windowAt(view, count - 1, false),
  };
};

/**
 * The first chunk that differs, or the last one when none does. Goes down the tree along what is known of it, so that of a
 * hidden trace few chunks have to be asked for. @throws ChunkNeeded
 */
const firstDifferent = (view: PartView, honest: PartView, count: number): number => {
  const height = count > 1 ? Math.ceil(Math.log2(count)) : 0;
  const differs = (level: number, position: number): boolean => {
    const hash = view.hash(level, position);
    if (hash === undefined) throw new ChunkNeeded('trace', Math.min(position * 2 ** level, count - 1));
    return hash !== honest.hash(level, position);
  };
  let position = 0;
  if (!differs(height, 0)) return count - 1;
  for (let level = height - 1; level >= 0; level--) {
    position *= 2;
    if (!differs(level, position)) position++;
    if (position * 2 ** level >= count) return count - 1;
  }
  return position;
};

const windowAt = (view: PartView, index: number, withNext: boolean): Window => {
  const { bytes, proof } = needChunk(view, 'trace', index);
  const next = withNext ? needChunk(view, 'trace', index + 1) : undefined;
  return {
    index: BigInt(index),
    chunk: bytes,
    proof,
    ...(next ? { next: next.bytes, nextProof: next.proof } : nothing),
  };
};

const sameChunk = (view: PartView, honest: PartView, index: number): boolean => {
  const ours = honest.chunk(index);
  return ours !== undefined && Buffer.compare(needChunk(view, 'trace', index).bytes, ours.bytes) === 0;
};

const key = ({ account, receipt }: TraceRecord): bigint => keyOf(account, receipt);
const same = (one: TraceRecord, other: TraceRecord): boolean =>
  one.account === other.account && one.receipt === other.receipt && one.amount === other.amount;
const sameHeader = (one: TraceChunk, other: TraceChunk): boolean =>
  one.ofAccount === other.ofAccount && one.ofAll === other.ofAll && one.accounts === other.accounts;

/** Whether RewardTrace.chunkIsWrong finds it unsorted, or paying nothing. */
const contradicts = ({ records }: TraceChunk): boolean =>
  records.some((record, i) => record.amount === 0n || (i > 0 && key(record) <= key(records[i - 1] as TraceRecord)));
