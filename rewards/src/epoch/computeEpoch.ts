import { createHash } from 'node:crypto';
import type { EventReader } from '@openledger/event-log';
import { OpenLedgerError } from '@openledger/kit';
import type { Hex } from 'viem';
import type { CreditSink } from '../ledger/creditSink.ts';
import { foldBlocks } from '../ledger/foldBlocks.ts';
import { initialLedger, type LedgerRules } from '../ledger/ledgerState.ts';
import { settleBlock } from '../ledger/settleBlock.ts';
import type { ChunkTree } from '../trace/chunkTree.ts';
import { RecordStore } from '../trace/recordStore.ts';
import { type ChunkWriter, writeTrace } from '../trace/writeTrace.ts';
import { type Leaf, RewardTree } from './rewardTree.ts';

export type EpochLedger = {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly blockHash: Hex;
  readonly logHash: Hex;
  readonly leaves: readonly Leaf[];
  readonly tree: RewardTree;
  readonly root: Hex;
  readonly trace: ChunkTree;
  /** Over the chunks of the tree's nodes. */
  readonly nodes: ChunkTree;
  readonly records: bigint;
  /** Sum of all leaves, wei. */
  readonly total: bigint;
  /** The canonical ledger file: JSON without spaces, keys and leaves in fixed order. */
  readonly file: string;
  /** sha256 of `file`. */
  readonly dataHash: Hex;
};

export type EpochRange = {
  readonly reader: EventReader;
  readonly chainId: number;
  /** The last block that the final epoch before counts; 0 for the first. */
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly rules: LedgerRules;
};

/**
 * Recomputes all entitlements up to a block from the event log alone, with the trace that leads to them.
 * @param write gets the trace's chunks @throws REWARDS_NOTHING_OWED, REWARDS_BLOCK_UNKNOWN
 */
export const computeEpoch = async (range: EpochRange, write?: ChunkWriter): Promise<EpochLedger> => {
  const { reader, chainId, fromBlock, toBlock, rules } = range;
  const { state: folded, last } = await foldBlocks(reader, {
    toBlock,
    start: () => startEpoch(rules),
    apply: (epoch, { number, events }) => {
      settleBlock(epoch.state, events, number <= fromBlock ? epoch.carried : epoch.store);
    },
  });
  if (last?.number !== toBlock) throw unknownBlock(toBlock);
  const { state, store, carried } = folded;
  const trace = await writeTrace(state.accounts, store, carried.totals, write);
  if (trace.records === 0) throw nothingOwed();
  if (trace.total !== state.settled) {
    throw new OpenLedgerError(`credited ${trace.total} wei of ${state.settled} settled`, {
      code: 'REWARDS_SUM_WRONG',
      handling: 'fatal',
      action: 'Report this: the ledger lost or made money.',
    });
  }
  const tree = new RewardTree(trace.totals);
  const file = ledgerFile({ chainId, fromBlock, toBlock, blockHash: last.hash, logHash: last.logHash }, trace.totals);
  return {
    fromBlock,
    toBlock,
    blockHash: last.hash,
    logHash: last.logHash,
    leaves: trace.totals,
    tree,
    root: tree.root,
    trace: trace.tree,
    nodes: tree.chunkTree(),
    records: BigInt(trace.records),
    total: trace.total,
    file,
    dataHash: `0x${createHash('sha256').update(file).digest('hex')}`,
  };
};

const startEpoch = (rules: LedgerRules) => ({
  state: initialLedger(rules),
  store: new RecordStore(),
  carried: new Totals(),
});

/** Of what the epochs before have counted only the sums are left, by account. */
class Totals implements CreditSink {
  readonly totals: bigint[] = [];
  begin(): void {}
  credit(account: number, _role: string, amount: bigint): void {
    this.totals[account] = (this.totals[account] ?? 0n) + amount;
  }
  end(): void {}
}

type Header = { chainId: number; fromBlock: bigint; toBlock: bigint; blockHash: Hex; logHash: Hex };

const ledgerFile = ({ chainId, fromBlock, toBlock, blockHash, logHash }: Header, leaves: readonly Leaf[]): string =>
  JSON.stringify({
    format: 'openledger-rewards-2',
    chainId,
    fromBlock: fromBlock.toString(),
    toBlock: toBlock.toString(),
    blockHash,
    logHash,
    leaves: leaves.map(({ account, cumulative }) => [account, cumulative.toString()]),
  });

const unknownBlock = (toBlock: bigint) =>
  new OpenLedgerError(`the event log has no block ${toBlock}`, {
    code: 'REWARDS_BLOCK_UNKNOWN',
    handling: 'retry',
    action: 'Wait until the node has reached the block.',
  });

const nothingOwed = () =>
  new OpenLedgerError('nothing has been settled up to this block', {
    code: 'REWARDS_NOTHING_OWED',
    handling: 'reject',
    action: 'Propose an epoch after a settlement.',
  });
