import { type Difference, type Fault, findFault, type Honest } from '../challenge/findFault.ts';
import type { Proposal } from '../epoch/epochs.ts';
import type { OpenedEpoch } from '../publish/openEpoch.ts';
import { placeOf } from '../trace/format.ts';
import { type PartView, type ProvenChunk, shownPart } from '../trace/partView.ts';

export type Shown = {
  readonly trace: ReadonlyMap<number, ProvenChunk>;
  readonly nodes: ReadonlyMap<number, ProvenChunk>;
};

const nothingShown: Shown = { trace: new Map(), nodes: new Map() };

/**
 * Compares a proposal with the computed epoch. What the proposer has published counts only where it is what the proposal commits
 * to; of the rest, what was shown on chain.
 */
export const checkEpoch = (
  proposal: Proposal,
  honest: Honest,
  published: OpenedEpoch | undefined,
  shown: Shown = nothingShown,
): Fault | undefined => {
  const view = (fits: boolean, whole: PartView | undefined, part: 'trace' | 'nodes') =>
    fits && whole ? whole : shownPart(part === 'trace' ? proposal.traceRoot : proposal.treeRoot, shown[part]);
  return findFault(
    proposal,
    {
      trace: view(published?.roots.traceRoot === proposal.traceRoot, published?.trace, 'trace'),
      nodes: view(published?.roots.treeRoot === proposal.treeRoot, published?.nodes, 'nodes'),
    },
    honest,
  );
};

/** The first difference, for people: the account and receipt where the trace is known, else what the proposal says. */
export const differenceOf = (
  proposal: Proposal,
  { epoch }: Pick<Honest, 'epoch'>,
  fault: Fault | undefined,
): Difference | undefined => {
  if (fault?.kind === 'record') {
    const { account, receipt, proposed, computed } = fault;
    const { batch, page, output } = placeOf(receipt);
    return {
      field: 'record',
      account,
      receipt: receipt === 0n ? 'brought along' : `batch ${batch} page ${page} output ${output}`,
      proposed: proposed.toString(),
      computed: computed.toString(),
    };
  }
  if (fault?.kind === 'missing') {
    const computed = epoch.tree.leafOf(fault.account)?.cumulative.toString() ?? '0';
    return { field: 'leaf', account: fault.account, proposed: 'another or none', computed };
  }
  const pairs = [
    ['root', proposal.root, epoch.root],
    ['traceRoot', proposal.traceRoot, epoch.trace.root],
    ['treeRoot', proposal.treeRoot, epoch.nodes.root],
    ['records', proposal.records.toString(), epoch.records.toString()],
    ['accounts', proposal.accounts.toString(), epoch.leaves.length.toString()],
    ['total', proposal.total.toString(), epoch.total.toString()],
    ['dataHash', proposal.dataHash, epoch.dataHash],
  ] as const;
  const found = pairs.find(([, proposed, computed]) => proposed !== computed);
  return found && { field: found[0], proposed: found[1], computed: found[2] };
};
