import type { LevelDb } from '@openledger/event-log';
import { concatBytes, type Hex, hexToBytes } from 'viem';
import { fromHex, toHex } from '../primitives/hex.ts';
import type { SignedL2Transaction } from '../primitives/transaction.ts';

const PREFIX = 0x70; // 'p' txHash(32): raw transaction
const range = { gte: Uint8Array.of(PREFIX), lt: Uint8Array.of(PREFIX + 1) };

const keyOf = (hash: Hex): Uint8Array => concatBytes([Uint8Array.of(PREFIX), hexToBytes(hash)]);

/** The transactions that wait, on disk: what the senders were told is kept over a kill. It owns key prefix `p`. */
export class Journal {
  readonly #db: LevelDb;

  constructor(db: LevelDb) {
    this.#db = db;
  }

  async all(): Promise<Hex[]> {
    return (await this.#db.values(range).all()).map(toHex);
  }

  /** Synced when it returns. One batch: a kill leaves either the replaced transaction or the new one, never neither. */
  async add(transaction: SignedL2Transaction, replaced: Hex | undefined): Promise<void> {
    const batch = this.#db.batch().put(keyOf(transaction.hash), fromHex(transaction.raw));
    if (replaced) batch.del(keyOf(replaced));
    await batch.write({ sync: true } as Parameters<typeof batch.write>[0]);
  }

  /** Without sync: a transaction that comes back after a crash is refused by its nonce. */
  async remove(hashes: readonly Hex[]): Promise<void> {
    const batch = this.#db.batch();
    for (const hash of hashes) batch.del(keyOf(hash));
    await batch.write();
  }

  /** Removes what `keep` doesn't know. */
  async prune(keep: { has(hash: Hex): boolean }): Promise<void> {
    const hashes = (await this.#db.keys(range).all()).map((key) => toHex(key.subarray(1)));
    await this.remove(hashes.filter((hash) => !keep.has(hash)));
  }
}
