import type { BlockId } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { bytesToHex, concatBytes, hexToBytes, numberToBytes } from 'viem';

/** After all of an L1 block was derived from: how far L2 got. */
export type SafeHead = {
  readonly l1: BlockId;
  readonly safe: BlockId;
  /** Whether derivation can start again right here: no channel or batch was half-way. */
  readonly isClean: boolean;
};

const SAFE_HEAD = 0x64; // 'd' l1Number(8): l1Hash(32) safeNumber(8) safeHash(32) clean(1)

const key = (l1Number: bigint): Uint8Array =>
  concatBytes([Uint8Array.of(SAFE_HEAD), numberToBytes(l1Number, { size: 8 })]);

const encode = ({ l1, safe, isClean }: SafeHead): Uint8Array =>
  concatBytes([
    hexToBytes(l1.hash),
    numberToBytes(safe.number, { size: 8 }),
    hexToBytes(safe.hash),
    Uint8Array.of(isClean ? 1 : 0),
  ]);

const decode = (at: Uint8Array, value: Uint8Array): SafeHead => ({
  l1: { number: BigInt(bytesToHex(at.subarray(1))), hash: bytesToHex(value.subarray(0, 32)) },
  safe: { number: BigInt(bytesToHex(value.subarray(32, 40))), hash: bytesToHex(value.subarray(40, 72)) },
  isClean: value[72] === 1,
});

/**
 * The safe head as of each L1 block, which says what is final once an L1 block is, and where derivation starts again. Losing
 * entries loses time and nothing else. It owns key prefix `d`.
 */
export class SafeHeads {
  readonly #db: LevelDb;

  constructor(db: LevelDb) {
    this.#db = db;
  }

  record(entry: SafeHead): Promise<void> {
    return this.#db.put(key(entry.l1.number), encode(entry));
  }

  /** As of this L1 block, or the last before it that is known. */
  async at(l1Number: bigint): Promise<SafeHead | undefined> {
    for await (const entry of this.newestFirst(l1Number)) return entry;
    return undefined;
  }

  async *newestFirst(upTo = (1n << 64n) - 1n): AsyncGenerator<SafeHead> {
    const range = { gte: key(0n), lte: key(upTo), reverse: true };
    for await (const [at, value] of this.#db.iterator(range)) yield decode(at as Uint8Array, value);
  }

  /** Forgets L1 blocks above this one. */
  async truncate(l1Number: bigint): Promise<void> {
    await this.#db.clear({ gt: key(l1Number), lte: key((1n << 64n) - 1n) });
  }
}
