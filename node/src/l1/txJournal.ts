import type { LevelDb } from '@openledger/event-log';
import { Packr } from 'msgpackr';
import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import type { TxFees } from './txFees.ts';

export type TxRequest = {
  /** The caller's name for it; unique, and the same after a restart. */
  readonly id: string;
  readonly to: Address;
  readonly data: Hex;
  readonly gas: bigint;
  readonly blobs: readonly Uint8Array[];
};

/** One signed form of a transaction. `raw` is without blobs, and kept of the newest attempt only. */
export type TxAttempt = TxFees & { readonly hash: Hex; readonly raw: Hex };

export type JournaledTx = TxRequest & {
  /** Order of submission. */
  readonly sequence: number;
  /** Given with the first attempt. */
  readonly nonce?: bigint;
  /** Oldest first; all have the nonce, so that at most one of them is ever included. */
  readonly attempts: readonly TxAttempt[];
  /** Nobody waits for it any more; it only keeps its nonce from becoming a gap. */
  readonly isAbandoned: boolean;
};

const packr = new Packr({ useRecords: false, int64AsType: 'bigint' });

const encode = (tx: JournaledTx): Uint8Array =>
  packr.pack([
    tx.id,
    hexToBytes(tx.to),
    hexToBytes(tx.data),
    tx.gas,
    tx.blobs,
    tx.nonce ?? null,
    tx.attempts.map((a) => [
      hexToBytes(a.hash),
      hexToBytes(a.raw),
      `${a.maxPriorityFeePerGas}`,
      `${a.maxFeePerGas}`,
      `${a.maxFeePerBlobGas}`,
    ]),
    tx.isAbandoned,
  ]);

type Row = [
  string,
  Uint8Array,
  Uint8Array,
  bigint | number,
  Uint8Array[],
  bigint | number | null,
  [Uint8Array, Uint8Array, string, string, string][],
  boolean,
];

const decode = (sequence: number, bytes: Uint8Array): JournaledTx => {
  const [id, to, data, gas, blobs, nonce, attempts, isAbandoned] = packr.unpack(bytes) as Row;
  return {
    id,
    to: bytesToHex(to),
    data: bytesToHex(data),
    gas: BigInt(gas),
    blobs: blobs.map((blob) => new Uint8Array(blob)),
    sequence,
    ...(nonce === null ? {} : { nonce: BigInt(nonce) }),
    attempts: attempts.map(([hash, raw, tip, fee, blobFee]) => ({
      hash: bytesToHex(hash),
      raw: bytesToHex(raw),
      maxPriorityFeePerGas: BigInt(tip),
      maxFeePerGas: BigInt(fee),
      maxFeePerBlobGas: BigInt(blobFee),
    })),
    isAbandoned,
  };
};

export type JournalOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export const writeSynced = async (db: LevelDb, ops: readonly JournalOp[]): Promise<void> => {
  const batch = db.batch();
  for (const op of ops) {
    if (op.type === 'put') batch.put(op.key, op.value);
    else batch.del(op.key);
  }
  await batch.write({ sync: true } as Parameters<typeof batch.write>[0]);
};

/** Transactions on disk, under `prefix` and their sequence (u64). A transaction is written before it is sent. */
export class TxJournal {
  readonly #db: LevelDb;
  readonly #prefix: Uint8Array;

  constructor(db: LevelDb, prefix: string) {
    this.#db = db;
    this.#prefix = new TextEncoder().encode(prefix);
  }

  async load(): Promise<JournaledTx[]> {
    const txs: JournaledTx[] = [];
    const range = { gte: this.#key(0), lte: this.#key(Number.MAX_SAFE_INTEGER) };
    for await (const [key, value] of this.#db.iterator(range)) {
      const bytes = key as Uint8Array;
      const view = new DataView(bytes.buffer, bytes.byteOffset + this.#prefix.length);
      txs.push(decode(Number(view.getBigUint64(0)), value));
    }
    return txs;
  }

  put(tx: JournaledTx): JournalOp {
    return { type: 'put', key: this.#key(tx.sequence), value: encode(tx) };
  }

  remove(tx: JournaledTx): JournalOp {
    return { type: 'del', key: this.#key(tx.sequence) };
  }

  write(ops: readonly JournalOp[]): Promise<void> {
    return writeSynced(this.#db, ops);
  }

  #key(sequence: number): Uint8Array {
    const key = new Uint8Array(this.#prefix.length + 8);
    key.set(this.#prefix);
    new DataView(key.buffer).setBigUint64(this.#prefix.length, BigInt(sequence));
    return key;
  }
}
