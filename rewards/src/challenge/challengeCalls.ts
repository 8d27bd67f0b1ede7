import { predeploys } from '@openledger/chain-config';
import { rewardDisputesAbi, rewardRecomputeAbi } from '@openledger/contracts';
import { type Abi, type Address, bytesToHex, type Hex } from 'viem';
import { type Part, parts } from '../trace/partView.ts';
import type { Evidence, Scan } from './evidence.ts';
import type { NodeChunk, NodeFault } from './findNodeFault.ts';
import type { TraceFault, Window } from './findTraceFault.ts';

/** A transaction that somebody with a key sends. */
export type Call = {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
};

const disputes = (functionName: string, args: readonly unknown[]): Call => ({
  address: predeploys.rewardDisputes,
  abi: rewardDisputesAbi,
  functionName,
  args,
});

export const scanCall = ({ batch, sourceKind, sourceId, target, pages }: Scan, from: number, to: number): Call => ({
  address: predeploys.rewardRecompute,
  abi: rewardRecomputeAbi,
  functionName: 'scan',
  args: [batch, sourceKind, sourceId, target, pages.slice(from, to)],
});

export const requestCall = (epoch: bigint, part: Part, index: number): Call =>
  disputes('requestChunk', [epoch, parts[part], BigInt(index)]);

export const showCall = (epoch: bigint, part: number, index: bigint, chunk: Uint8Array, proof: readonly Hex[]): Call =>
  disputes('showChunk', [epoch, part, index, bytesToHex(chunk), proof]);

export const rejectUnansweredCall = (epoch: bigint, part: number, index: bigint): Call =>
  disputes('rejectUnanswered', [epoch, part, index]);

const windowArgs = ({ index, chunk, proof, next, nextProof }: Window) => ({
  index,
  chunk: bytesToHex(chunk),
  proof,
  next: bytesToHex(next),
  nextProof,
});

const nodeArgs = ({ index, words, proof }: NodeChunk) => ({ index, words: bytesToHex(words), proof });

const emptyWindow = { index: 0n, chunk: '0x', proof: [], next: '0x', nextProof: [] } as const;

/** What a fault needs beside itself: evidence of a receipt, or windows of other traces. */
export type ChallengeContext = {
  readonly evidence?: Evidence;
  /** The account's end in the trace of the epoch before; left out when there is none. */
  readonly previous?: Window | undefined;
  /** The account's end in the trace of this epoch, which is right where the tree is wrong. */
  readonly end?: Window | undefined;
};

/** The transaction that shows a fault. */
export const challengeCall = (epoch: bigint, fault: TraceFault | NodeFault, context: ChallengeContext): Call => {
  switch (fault.kind) {
    case 'chunk': {
      const { index, chunk, proof } = windowArgs(fault.window);
      return disputes('challengeChunk', [epoch, index, chunk, proof]);
    }
    case 'seam':
      return disputes('challengeSeam', [epoch, windowArgs(fault.window)]);
    case 'record': {
      const { account, receipt } = fault;
      const window = windowArgs(fault.window);
      if (receipt > 0n) return disputes('challengeReceipt', [epoch, account, receipt, window, context.evidence]);
      const previous = context.previous ? windowArgs(context.previous) : emptyWindow;
      return disputes('challengeCarry', [epoch, account, window, previous]);
    }
    case 'root':
      return disputes('challengeRoot', [epoch, nodeArgs(fault.chunk)]);
    case 'node':
      return disputes('challengeNode', [epoch, fault.node, fault.chunks.map(nodeArgs)]);
    case 'missing': {
      const end = context.end ? windowArgs(context.end) : emptyWindow;
      return disputes('challengeMissing', [epoch, fault.account, end, fault.place, fault.chunks.map(nodeArgs)]);
    }
  }
};
