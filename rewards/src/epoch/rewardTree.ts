import { NATIVE_TOKEN } from '@openledger/chain-config';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { keccak } from '../hash.ts';
import { ChunkTree } from '../trace/chunkTree.ts';

export type Leaf = { readonly account: Address; readonly cumulative: bigint };

/** What OpenZeppelin's StandardMerkleTree.load takes. */
export type TreeDump = {
  readonly format: 'standard-v1';
  readonly leafEncoding: readonly ['address', 'address', 'uint256'];
  readonly tree: readonly Hex[];
  readonly values: readonly { readonly value: readonly [Address, Address, string]; readonly treeIndex: number }[];
};

const WORD = 32;
export const CHUNK_WORDS = 64;
const TOKEN = hexToBytes(NATIVE_TOKEN);

/**
 * OpenZeppelin's StandardMerkleTree over (account, token, cumulative), the same root and the same proofs, in one buffer: theirs
 * takes tens of seconds and a gigabyte for what an epoch has (`npm run bench -- rewards`).
 */
export class RewardTree {
  readonly leaves: readonly Leaf[];
  readonly #nodes: Uint8Array;
  /** Where each leaf stands in the tree. */
  readonly #places: Uint32Array;
  readonly #byAccount = new Map<Address, number>();

  /** @param leaves at least one, no account twice */
  constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves;
    const count = leaves.length;
    const hashes = hashLeaves(leaves);
    const order = Uint32Array.from(leaves.keys()).sort((a, b) =>
      Buffer.compare(hashes.subarray(WORD * a, WORD * a + WORD), hashes.subarray(WORD * b, WORD * b + WORD)),
    );
    const size = 2 * count - 1;
    this.#nodes = new Uint8Array(WORD * size);
    this.#places = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const leaf = order[i] as number;
      const place = size - 1 - i;
      this.#nodes.set(hashes.subarray(WORD * leaf, WORD * leaf + WORD), WORD * place);
      this.#places[leaf] = place;
      this.#byAccount.set(leaves[leaf]?.account as Address, leaf);
    }
    const pair = new Uint8Array(2 * WORD);
    for (let i = size - 1 - count; i >= 0; i--) {
      const [one, other] = [this.#node(2 * i + 1), this.#node(2 * i + 2)];
      const inOrder = Buffer.compare(one, other) < 0;
      pair.set(inOrder ? one : other);
      pair.set(inOrder ? other : one, WORD);
      this.#nodes.set(keccak(pair), WORD * i);
    }
  }

  get root(): Hex {
    return bytesToHex(this.#node(0));
  }

  leafOf(account: Address): Leaf | undefined {
    const index = this.#byAccount.get(account.toLowerCase() as Address);
    return index === undefined ? undefined : this.leaves[index];
  }

  /** Nodes of the tree: leaves are the last ones. */
  get size(): number {
    return this.#nodes.length / WORD;
  }

  node(index: number): Hex {
    return bytesToHex(this.#node(index));
  }

  /** The account whose leaf stands at a node. */
  accountAt(node: number): Address {
    const leaf = this.#places.indexOf(node);
    return (this.leaves[leaf] as Leaf).account;
  }

  /** Cumulative amount and proof of one account, or undefined when it is owed nothing. */
  claimOf(account: Address): { cumulative: bigint; proof: Hex[] } | undefined {
    const index = this.#byAccount.get(account.toLowerCase() as Address);
    if (index === undefined) return undefined;
    const proof: Hex[] = [];
    for (let at = this.#places[index] as number; at > 0; at = (at - 1) >> 1) {
      proof.push(bytesToHex(this.#node(at % 2 === 1 ? at + 1 : at - 1)));
    }
    return { cumulative: (this.leaves[index] as Leaf).cumulative, proof };
  }

  /** Chunk `index` of the nodes, the root first, as RewardNodes.sol reads them. */
  chunk(index: number): Uint8Array {
    return this.#nodes.subarray(WORD * CHUNK_WORDS * index, WORD * CHUNK_WORDS * (index + 1));
  }

  /** The commitment to all nodes, word by word. */
  chunkTree(): ChunkTree {
    const chunks = Math.ceil(this.#nodes.length / (WORD * CHUNK_WORDS));
    const leaves = new Uint8Array(WORD * chunks);
    for (let index = 0; index < chunks; index++) leaves.set(keccak(keccak(this.chunk(index))), WORD * index);
    return new ChunkTree(leaves);
  }

  dump(): TreeDump {
    return {
      format: 'standard-v1',
      leafEncoding: ['address', 'address', 'uint256'],
      tree: Array.from({ length: this.#nodes.length / WORD }, (_, index) => bytesToHex(this.#node(index))),
      values: this.leaves.map(({ account, cumulative }, index) => ({
        value: [account, NATIVE_TOKEN, cumulative.toString()],
        treeIndex: this.#places[index] as number,
      })),
    };
  }

  #node(index: number): Uint8Array {
    return this.#nodes.subarray(WORD * index, WORD * index + WORD);
  }
}

/** keccak256(keccak256(abi.encode(account, token, cumulative))) of each. */
const hashLeaves = (leaves: readonly Leaf[]): Uint8Array => {
  const hashes = new Uint8Array(WORD * leaves.length);
  const encoded = new Uint8Array(3 * WORD);
  encoded.set(TOKEN, 2 * WORD - TOKEN.length);
  for (const [index, { account, cumulative }] of leaves.entries()) {
    encoded.set(hexToBytes(account), WORD - 20);
    encoded.set(hexToBytes(`0x${cumulative.toString(16).padStart(2 * WORD, '0')}`), 2 * WORD);
    hashes.set(keccak(keccak(encoded)), WORD * index);
  }
  return hashes;
};
