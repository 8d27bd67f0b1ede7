import type { Address } from 'viem';
import { bytesToBigInt, bytesToHex, hexToBytes } from 'viem';

/** docs/spec/rewards-ledger.md; RewardTrace.sol reads the same bytes. */
export const CHUNK_RECORDS = 64;
export const RECORD_BYTES = 48;
export const CHUNK_HEADER_BYTES = 48;

export type TraceRecord = {
  readonly account: Address;
  /** 0 for what an account brings along from the epoch before. */
  readonly receipt: bigint;
  readonly amount: bigint;
};

export type TraceChunk = {
  /** What stands before the chunk: the total of its first record's account and of everything, and how many accounts. */
  readonly ofAccount: bigint;
  readonly ofAll: bigint;
  readonly accounts: bigint;
  readonly records: readonly TraceRecord[];
};

export const receiptOf = ({ batch, page, output }: { batch: number; page: number; output: number }): bigint =>
  (BigInt(batch + 1) << 48n) | (BigInt(page) << 24n) | BigInt(output);

export const placeOf = (receipt: bigint): { batch: number; page: number; output: number } => ({
  batch: Number(receipt >> 48n) - 1,
  page: Number((receipt >> 24n) & 0xff_ffffn),
  output: Number(receipt & 0xff_ffffn),
});

/** First 32 bytes of a record as a number: what records are sorted by. */
export const keyOf = (account: Address, receipt: bigint): bigint => (BigInt(account) << 96n) | receipt;

export const readChunk = (bytes: Uint8Array): TraceChunk => {
  const number = (from: number, to: number) => bytesToBigInt(bytes.subarray(from, to));
  const records: TraceRecord[] = [];
  for (let at = CHUNK_HEADER_BYTES; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    records.push({
      account: bytesToHex(bytes.subarray(at, at + 20)),
      receipt: number(at + 20, at + 32),
      amount: number(at + 32, at + 48),
    });
  }
  return { ofAccount: number(0, 16), ofAll: number(16, 32), accounts: number(32, 48), records };
};

export const writeChunk = ({ ofAccount, ofAll, accounts, records }: TraceChunk): Uint8Array => {
  const bytes = new Uint8Array(CHUNK_HEADER_BYTES + records.length * RECORD_BYTES);
  const put = (value: bigint, at: number, size: number) =>
    bytes.set(hexToBytes(`0x${value.toString(16).padStart(2 * size, '0')}`), at);
  put(ofAccount, 0, 16);
  put(ofAll, 16, 16);
  put(accounts, 32, 16);
  for (const [index, { account, receipt, amount }] of records.entries()) {
    const at = CHUNK_HEADER_BYTES + index * RECORD_BYTES;
    put(BigInt(account), at, 20);
    put(receipt, at + 20, 12);
    put(amount, at + 32, 16);
  }
  return bytes;
};
