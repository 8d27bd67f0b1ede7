import { NATIVE_TOKEN } from '@openledger/chain-config';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { type Address, getAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { RewardTree } from './rewardTree.ts';

const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes): Address => `0x${Buffer.from(bytes).toString('hex')}`);
const leaf = fc.record({ account: address, cumulative: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }) });
const leaves = fc.uniqueArray(leaf, { selector: ({ account }) => account, minLength: 1, maxLength: 40 });

describe('RewardTree', () => {
  it('is the tree that OpenZeppelin makes of the same leaves: root, dump and proofs', () => {
    fc.assert(
      fc.property(leaves, (given) => {
        const ours = new RewardTree(given);
        const values = given.map(({ account, cumulative }) => [account, NATIVE_TOKEN, cumulative.toString()]);
        const theirs = StandardMerkleTree.of(values, ['address', 'address', 'uint256']);
        expect(ours.root).toBe(theirs.root);
        expect(ours.dump()).toEqual(theirs.dump());
        for (const [i, { account, cumulative }] of given.entries()) {
          expect(ours.claimOf(getAddress(account))).toEqual({ cumulative, proof: theirs.getProof(i) });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('knows nothing of strangers', () => {
    const tree = new RewardTree([{ account: `0x${'1'.repeat(40)}`, cumulative: 5n }]);
    expect(tree.claimOf(`0x${'2'.repeat(40)}`)).toBeUndefined();
    expect(tree.leafOf(`0x${'1'.repeat(40)}`)?.cumulative).toBe(5n);
  });
});
