import type { Address, Hex } from 'viem';
import type { EpochLedger } from '../epoch/computeEpoch.ts';
import type { Part, PartView } from '../trace/partView.ts';
import { findNodeFault, type NodeFault } from './findNodeFault.ts';
import { findTraceFault, type TraceFault } from './findTraceFault.ts';
import { ChunkNeeded } from './proposedPart.ts';

/** What a proposer has committed to. */
export type ProposedEpoch = {
  readonly root: Hex;
  readonly traceRoot: Hex;
  readonly treeRoot: Hex;
  readonly records: bigint;
  readonly accounts: bigint;
  readonly total: bigint;
};

/** One place where a proposed epoch is wrong, or the chunk that has to be seen to find it. */
export type Fault = TraceFault | NodeFault | { readonly kind: 'request'; readonly part: Part; readonly index: number };

/** Where the fault is, for people. */
export type Difference = {
  readonly field: string;
  readonly proposed: string;
  readonly computed: string;
  readonly account?: Address;
  /** The receipt as batch, page and output. */
  readonly receipt?: string;
};

export type Honest = { readonly epoch: EpochLedger; readonly trace: PartView; readonly nodes: PartView };

/**
 * Compares a proposed epoch with the one that was computed from the log. Undefined when they are the same, so that the root can't
 * be challenged.
 */
export const findFault = (
  proposed: ProposedEpoch,
  views: { trace: PartView; nodes: PartView },
  honest: Honest,
): Fault | undefined => {
  const { epoch } = honest;
  try {
    const sameTrace =
      proposed.traceRoot === epoch.trace.root &&
      proposed.records === epoch.records &&
      proposed.total === epoch.total &&
      proposed.accounts === BigInt(epoch.leaves.length);
    if (!sameTrace) return findTraceFault(proposed, views.trace, honest);
    if (proposed.root === epoch.root && proposed.treeRoot === epoch.nodes.root) return undefined;
    return findNodeFault(proposed, views.nodes, honest);
  } catch (error) {
    if (error instanceof ChunkNeeded) return { kind: 'request', part: error.part, index: error.index };
    throw error;
  }
};
