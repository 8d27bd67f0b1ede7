import { type Address, hexToBytes } from 'viem';
import { keccak } from '../hash.ts';
import type { AccountTable } from '../ledger/accountTable.ts';
import { ChunkTree } from './chunkTree.ts';
import { CHUNK_HEADER_BYTES, CHUNK_RECORDS, RECORD_BYTES } from './format.ts';
import type { RecordStore } from './recordStore.ts';

export type WrittenTrace = {
  readonly tree: ChunkTree;
  readonly records: number;
  /** By address: what the trace adds up to, without accounts that have nothing. */
  readonly totals: readonly { readonly account: Address; readonly cumulative: bigint }[];
  readonly total: bigint;
};

/** Takes a chunk's bytes, which are overwritten after it returns (or its promise resolves). */
export type ChunkWriter = (chunk: Uint8Array, index: number) => void | Promise<void>;

const LOW = (1n << 64n) - 1n;

/**
 * Writes the trace of an epoch chunk by chunk, sorted by account and receipt.
 * @param carried by account, what it brings along from the epoch before
 * @throws REWARDS_NOTHING_OWED by returning no records: the caller decides
 */
export const writeTrace = async (
  accounts: AccountTable,
  store: RecordStore,
  carried: readonly (bigint | undefined)[],
  write: ChunkWriter = () => undefined,
): Promise<WrittenTrace> => {
  const { order, offsets } = store.grouped(accounts.size);
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + CHUNK_RECORDS * RECORD_BYTES);
  const view = new DataView(chunk.buffer);
  const size = store.size + carried.reduce<number>((count, amount) => count + (amount ? 1 : 0), 0);
  const leaves = new Uint8Array(32 * Math.ceil(size / CHUNK_RECORDS));
  const totals: { account: Address; cumulative: bigint }[] = [];
  let [records, filled, begun, total] = [0, 0, 0, 0n];
  const put128 = (value: bigint, at: number) => {
    view.setBigUint64(at, value >> 64n);
    view.setBigUint64(at + 8, value & LOW);
  };
  const flush = async () => {
    const bytes = chunk.subarray(0, CHUNK_HEADER_BYTES + filled * RECORD_BYTES);
    const index = Math.ceil(records / CHUNK_RECORDS) - 1;
    leaves.set(keccak(keccak(bytes)), 32 * index);
    await write(bytes, index);
    filled = 0;
  };
  for (const account of accounts.sorted()) {
    const address = accounts.address(account);
    const bytes = hexToBytes(address);
    let running = 0n;
    const carry = carried[account] ?? 0n;
    const [from, to] = [offsets[account] as number, offsets[account + 1] as number];
    for (let i = carry > 0n ? from - 1 : from; i < to; i++) {
      const amount = i < from ? carry : store.amount(order[i] as number);
      if (filled === 0) {
        put128(running, 0);
        put128(total, 16);
        put128(BigInt(begun), 32);
      }
      const at = CHUNK_HEADER_BYTES + filled * RECORD_BYTES;
      chunk.set(bytes, at);
      if (i < from) chunk.fill(0, at + 20, at + 32);
      else store.writeReceipt(order[i] as number, view, at + 20);
      put128(amount, at + 32);
      if (running === 0n) begun++;
      running += amount;
      total += amount;
      records++;
      if (++filled === CHUNK_RECORDS) await flush();
    }
    if (running > 0n) totals.push({ account: address, cumulative: running });
  }
  if (filled > 0) await flush();
  return { tree: new ChunkTree(leaves), records, totals, total };
};
