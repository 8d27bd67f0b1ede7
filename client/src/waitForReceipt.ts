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
  let receipt = await client.waitForTransactionReceipt({ hash });
  while (finality === 'sequenced' && receipt.blockHash === zeroHash) {
    await new Promise((resolve) => setTimeout(resolve, client.pollingInterval));
    receipt = await client.getTransactionReceipt({ hash }).catch((error: unknown) => {
      // The open block was given up: the transaction waits for another.
      if (error instanceof TransactionReceiptNotFoundError) return client.waitForTransactionReceipt({ hash });
      throw error;
    });
  }
  return receipt;
};
