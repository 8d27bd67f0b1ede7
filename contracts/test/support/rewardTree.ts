import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import type { Address, Hex } from 'viem';

export const NATIVE_TOKEN: Address = '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE';

export type RewardLeaf = [account: Address, cumulative: bigint];

/** Built by the library that distributors use, so that the contract is checked against them and not against ourselves. */
export function rewardTree(leaves: RewardLeaf[], token: Address = NATIVE_TOKEN) {
  const tree = StandardMerkleTree.of(
    leaves.map(([account, cumulative]) => [account, token, cumulative] as [string, string, bigint]),
    ['address', 'address', 'uint256'],
  );
  return {
    root: tree.root as Hex,
    total: leaves.reduce((sum, [, cumulative]) => sum + cumulative, 0n),
    proof: (index: number) => tree.getProof(index) as Hex[],
  };
}
