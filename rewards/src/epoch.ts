import { createHash } from 'node:crypto';
import { NATIVE_TOKEN } from '@openledger/chain-config';
import type { EventReader } from '@openledger/event-log';
import { OpenLedgerError } from '@openledger/kit';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import type { Address, Hex } from 'viem';
import { canonicalBlocks } from './canonicalBlocks.ts';
import { type Credit, evolveLedger, initialLedger, type LedgerRules, type LedgerState } from './ledger.ts';

export type Leaf = readonly [account: Address, token: Address, cumulative: string];

export type EpochLedger = {
  readonly toBlock: bigint;
  readonly blockHash: Hex;
  readonly logHash: Hex;
  readonly leaves: readonly Leaf[];
  readonly tree: StandardMerkleTree<string[]>;
  readonly root: Hex;
  /** Sum of all leaves, wei. */
  readonly total: bigint;
  /** sha256 of `file`. */
  readonly dataHash: Hex;
  /** The canonical ledger file: JSON without spaces, keys and leaves in fixed order. */
  readonly file: string;
  readonly credits: readonly Credit[];
  readonly state: LedgerState;
};

/**
 * Recomputes all entitlements up to a block from the event log alone, and their Merkle tree
 * (OpenZeppelin StandardMerkleTree of address, address, uint256). @throws REWARDS_NOTHING_OWED, REWARDS_BLOCK_UNKNOWN
 */
export const computeEpoch = async (options: {
  reader: EventReader;
  chainId: number;
  toBlock: bigint;
  rules: LedgerRules;
}): Promise<EpochLedger> => {
  const { reader, chainId, toBlock, rules } = options;
  const blocks = await canonicalBlocks(reader, toBlock);
  const last = blocks.at(-1);
  if (last?.number !== toBlock) {
    throw new OpenLedgerError(`the event log has no block ${toBlock}`, {
      code: 'REWARDS_BLOCK_UNKNOWN',
      handling: 'retry',
      action: 'Wait until the node has reached the block.',
    });
  }
  const state = initialLedger();
  const credits = blocks.flatMap((block) => block.events.flatMap((event) => evolveLedger(state, event, rules)));
  const leaves = [...state.entitlements]
    .filter(([, amount]) => amount > 0n)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([account, amount]): Leaf => [account, NATIVE_TOKEN, amount.toString()]);
  if (leaves.length === 0) {
    throw new OpenLedgerError('nothing has been settled up to this block', {
      code: 'REWARDS_NOTHING_OWED',
      handling: 'reject',
      action: 'Propose an epoch after a settlement.',
    });
  }
  const tree = StandardMerkleTree.of(
    leaves.map((leaf) => [...leaf]),
    ['address', 'address', 'uint256'],
  );
  const file = JSON.stringify({
    format: 'openledger-rewards-1',
    chainId,
    toBlock: toBlock.toString(),
    blockHash: last.hash,
    logHash: last.logHash,
    leaves,
  });
  return {
    toBlock,
    blockHash: last.hash,
    logHash: last.logHash,
    leaves,
    tree,
    root: tree.root as Hex,
    total: state.settled,
    dataHash: `0x${createHash('sha256').update(file).digest('hex')}`,
    file,
    credits,
    state,
  };
};

/** Cumulative amount and proof of one account, or undefined when it is owed nothing. */
export const claimOf = (
  epoch: Pick<EpochLedger, 'tree' | 'leaves'>,
  account: Address,
): { cumulative: bigint; proof: Hex[] } | undefined => {
  const index = epoch.leaves.findIndex(([who]) => who === account.toLowerCase());
  const leaf = epoch.leaves[index];
  if (!leaf) return undefined;
  return { cumulative: BigInt(leaf[2]), proof: epoch.tree.getProof([...leaf]) as Hex[] };
};
