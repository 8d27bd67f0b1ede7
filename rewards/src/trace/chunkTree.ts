import { bytesToHex, type Hex } from 'viem';
import { keccak } from '../hash.ts';

/**
 * The binary tree over the chunks of a long byte string. Positional: where a chunk stands is its index, not its value. Missing
 * chunks on the right are zero. A chunk's leaf is hashed twice, so that none can pass for an inner node. ChunkTree.sol.
 */
export class ChunkTree {
  readonly #levels: readonly Uint8Array[];
  readonly chunks: number;

  /** @param leaves 32 bytes a chunk, at least one */
  constructor(leaves: Uint8Array) {
    this.chunks = leaves.length / 32;
    const levels = [leaves];
    let empty: Uint8Array = new Uint8Array(32);
    const pair = new Uint8Array(64);
    for (let level = leaves; level.length > 32; ) {
      const above = new Uint8Array(32 * Math.ceil(level.length / 64));
      for (let at = 0; at < above.length; at += 32) {
        pair.set(level.subarray(2 * at, 2 * at + 32));
        pair.set(2 * at + 32 < level.length ? level.subarray(2 * at + 32, 2 * at + 64) : empty, 32);
        above.set(keccak(pair), at);
      }
      pair.set(empty);
      pair.set(empty, 32);
      empty = keccak(pair);
      levels.push(above);
      level = above;
    }
    this.#levels = levels;
  }

  get root(): Hex {
    return bytesToHex(this.#levels.at(-1) as Uint8Array);
  }

  /** Siblings from the leaf up. */
  proof(index: number): Hex[] {
    const siblings: Hex[] = [];
    let empty: Uint8Array = new Uint8Array(32);
    for (let level = 0, at = index; level + 1 < this.#levels.length; level++, at >>= 1) {
      const nodes = this.#levels[level] as Uint8Array;
      const sibling = at ^ 1;
      siblings.push(bytesToHex(32 * sibling < nodes.length ? nodes.subarray(32 * sibling, 32 * sibling + 32) : empty));
      empty = keccak(Uint8Array.of(...empty, ...empty));
    }
    return siblings;
  }

  /** The hash at a level (0 for the chunks) and position; undefined to the right of the last chunk. */
  node(level: number, position: number): Hex | undefined {
    const nodes = this.#levels[level];
    return nodes && 32 * position < nodes.length
      ? bytesToHex(nodes.subarray(32 * position, 32 * position + 32))
      : undefined;
  }
}
