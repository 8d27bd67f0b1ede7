import type { Address, Hex } from 'viem';
import { nodeError } from '../errors.ts';
import { orderedTrieRoot } from '../state/orderedTrieRoot.ts';
import { encodeL1Receipt, encodeL1Transaction, encodeWithdrawal, hashL1Header } from './l1Encoding.ts';
import type { L1Receipt, L1Transaction } from './l1Source.ts';
import type { RpcBlock, RpcHeader, RpcReceipt, RpcTransaction } from './rpcTypes.ts';

const badData = (message: string, hash: Hex, cause?: unknown) => nodeError('L1_BAD_DATA', message, { hash }, cause);

/** Whatever an endpoint's answer breaks while it is encoded is the answer's fault. */
const checked = async <T>(what: string, hash: Hex, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    throw badData(`L1 answered with a malformed ${what}`, hash, cause);
  }
};

const expectRoot = (what: string, header: RpcHeader, expected: Hex, actual: Hex): void => {
  if (actual !== expected)
    throw badData(`the ${what} of an L1 block don't have the root that its header states`, header.hash);
};

/** That the fields hash to the hash that the answer states. @throws L1_BAD_DATA */
export const verifyL1Header = async (header: RpcHeader): Promise<void> => {
  const hash = await checked('header', header.hash, () => hashL1Header(header));
  if (hash !== header.hash) throw badData('an L1 header does not have its hash', header.hash);
};

/** The transactions of a verified header: hashes recomputed, senders recovered. @throws L1_BAD_DATA */
export const verifyL1Transactions = async (
  header: RpcHeader,
  transactions: readonly (RpcTransaction | Hex)[],
): Promise<readonly L1Transaction[]> => {
  const encoded = await checked('transaction', header.hash, () =>
    (transactions as readonly RpcTransaction[]).map((tx) => ({ tx, ...encodeL1Transaction(tx) })),
  );
  expectRoot('transactions', header, header.transactionsRoot, await orderedTrieRoot(encoded.map(({ raw }) => raw)));
  return checked('signature', header.hash, () =>
    encoded.map(({ tx, hash, type, from }) => ({ ...l1Transaction(tx), hash, type, from: from() })),
  );
};

/** The receipts of a verified header; a log's index is its place in the block, not what the answer says. @throws L1_BAD_DATA */
export const verifyL1Receipts = async (
  header: RpcHeader,
  receipts: readonly RpcReceipt[],
): Promise<readonly L1Receipt[]> => {
  const encoded = await checked('receipt', header.hash, () => receipts.map(encodeL1Receipt));
  expectRoot('receipts', header, header.receiptsRoot, await orderedTrieRoot(encoded));
  return l1Receipts(receipts);
};

/** Withdrawals exist exactly when the header has a root for them (Shanghai). @throws L1_BAD_DATA */
export const verifyL1Withdrawals = async (header: RpcHeader, withdrawals: RpcBlock['withdrawals']): Promise<void> => {
  const root = header.withdrawalsRoot ?? undefined;
  if ((root === undefined) !== (withdrawals === undefined || withdrawals === null)) {
    throw badData('withdrawals and their root don’t go together', header.hash);
  }
  if (root === undefined || !withdrawals) return;
  const encoded = await checked('withdrawal', header.hash, () => withdrawals.map(encodeWithdrawal));
  expectRoot('withdrawals', header, root, await orderedTrieRoot(encoded));
};

/** A whole block as `eth_getBlockByHash(hash, true)` answers it. @throws L1_BAD_DATA */
export const verifyL1Block = async (block: RpcBlock): Promise<readonly L1Transaction[]> => {
  await verifyL1Header(block);
  await verifyL1Withdrawals(block, block.withdrawals);
  return verifyL1Transactions(block, block.transactions);
};

const lower = (address: Address): Address => address.toLowerCase() as Address;

/** What an answer says, for endpoints that are trusted. */
export const l1Transaction = (tx: RpcTransaction): L1Transaction => ({
  hash: tx.hash,
  type: Number(tx.type ?? '0x0'),
  from: lower(tx.from),
  to: tx.to ? lower(tx.to) : null,
  input: tx.input,
  blobVersionedHashes: tx.blobVersionedHashes ?? [],
});

export const l1Receipts = (receipts: readonly RpcReceipt[]): readonly L1Receipt[] => {
  let next = 0n;
  return receipts.map(({ status, logs }) => ({
    success: status === '0x1',
    logs: logs.map(({ address, topics, data }) => ({ address: lower(address), topics, data, logIndex: next++ })),
  }));
};
