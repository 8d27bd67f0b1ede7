import { type Hash, type PublicClient, type TransactionReceipt, TransactionReceiptNotFoundError, zeroHash } from 'viem';

export type Finality = 'preconfirmed' | 'sequenced';

/**
 * The receipt of a transaction, once it is in a block (`sequenced`), or as soon as the sequencer promised to put it into one
 * (`preconfirmed`: such a receipt has a zero block hash).
 */
export const waitForReceipt = async (
  client: PublicClient,
  hash: Hash,
  finality: Finality = 'sequenced',
): Promise<TransactionReceipt> => {
  // viem asks again with each block; a promise comes in between.
  if (finality === 'preconfirmed') return poll(client, hash, client.waitForTransactionReceipt({ hash }));
  let receipt = await client.waitForTransactionReceipt({ hash });
  while (receipt.blockHash === zeroHash) {
    await pause(client);
    // Without a receipt the open block was given up: the transaction waits for another.
    receipt = (await receiptOf(client, hash)) ?? (await client.waitForTransactionReceipt({ hash }));
  }
  return receipt;
};

const pause = ({ pollingInterval }: PublicClient) => new Promise((resolve) => setTimeout(resolve, pollingInterval));

const receiptOf = (client: PublicClient, hash: Hash): Promise<TransactionReceipt | undefined> =>
  client.getTransactionReceipt({ hash }).catch((error: unknown) => {
    if (error instanceof TransactionReceiptNotFoundError) return undefined;
    throw error;
  });

/** Asks until there is a receipt, or until `settled`, which also knows of timeouts and of replaced transactions, has an answer. */
const poll = async (
  client: PublicClient,
  hash: Hash,
  settled: Promise<TransactionReceipt>,
): Promise<TransactionReceipt> => {
  let over = false;
  const asking = async (): Promise<TransactionReceipt> => {
    while (!over) {
      const receipt = await receiptOf(client, hash);
      if (receipt) return receipt;
      await pause(client);
    }
    return settled;
  };
  try {
    return await Promise.race([settled, asking()]);
  } finally {
    over = true;
    settled.catch(() => undefined);
  }
};
