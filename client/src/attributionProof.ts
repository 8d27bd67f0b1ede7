import {
  type BatchHeader,
  type BatchOutput,
  decodePage,
  outputAt,
  outputIdAt,
  PageDecodeError,
  pageProof,
  pagesOfCall,
} from '@openledger/contracts';
import { bytesToHex, type Hex, hexToBytes, type PublicClient, zeroHash } from 'viem';
import { contracts } from './contracts.ts';

/** A batch as its transaction carries it, with what the ledger keeps a hash of. */
export type Batch = {
  readonly batchIndex: bigint;
  readonly header: BatchHeader;
  readonly pages: readonly Uint8Array[];
};

/** What AttributionLedger.proveOutput and proveAttribution take. */
export type AttributionPlace = {
  readonly batchIndex: bigint;
  readonly header: BatchHeader;
  readonly pageIndex: bigint;
  readonly page: Hex;
  readonly path: readonly Hex[];
  readonly outputIndex: bigint;
};

export type AttributionProof = { readonly place: AttributionPlace; readonly output: BatchOutput };

/**
 * Reads a batch from the chain: its event tells the transaction, whose calldata holds the pages.
 *
 * @param blockNumber where it was appended, when known (GraphQL tells it): spares the node a search over all blocks
 * @throws RangeError when there is no such batch
 */
export const readBatch = async (client: PublicClient, batchIndex: bigint, blockNumber?: bigint): Promise<Batch> => {
  const [appended] = await client.getContractEvents({
    ...contracts.attributionLedger,
    eventName: 'BatchAppended',
    args: { batchIndex },
    fromBlock: blockNumber ?? 'earliest',
    toBlock: blockNumber ?? 'latest',
    strict: true,
  });
  if (!appended) throw new RangeError(`there is no batch ${batchIndex}`);
  const [transaction, previousHead] = await Promise.all([
    client.getTransaction({ hash: appended.transactionHash }),
    batchIndex === 0n
      ? zeroHash
      : client.readContract({ ...contracts.attributionLedger, functionName: 'headAt', args: [batchIndex - 1n] }),
  ]);
  const { runner, pageCount, pagesRoot, settlementsHash } = appended.args;
  return {
    batchIndex,
    header: { previousHead, runner, blockNumber: appended.blockNumber, pageCount, pagesRoot, settlementsHash },
    pages: pagesOfCall(hexToBytes(transaction.input)) ?? [],
  };
};

/**
 * Proof of one output of a batch, by its place or its id. Pages that nodes reject hold nothing that could be proven.
 *
 * @throws RangeError when the batch has no such output
 */
export const attributionProof = (
  { batchIndex, header, pages }: Batch,
  wanted: { outputId: Hex } | { page: number; output: number },
): AttributionProof => {
  const { page, output } = 'outputId' in wanted ? findOutput(pages, wanted.outputId) : wanted;
  const bytes = pages[page];
  if (!bytes) throw new RangeError(`the batch has no page ${page}`);
  return {
    output: outputAt(decodePage(bytes), output),
    place: {
      batchIndex,
      header,
      pageIndex: BigInt(page),
      page: bytesToHex(bytes),
      path: pageProof(pages, page),
      outputIndex: BigInt(output),
    },
  };
};

const findOutput = (pages: readonly Uint8Array[], outputId: Hex): { page: number; output: number } => {
  for (const [page, bytes] of pages.entries()) {
    const decoded = decodedOrNone(bytes);
    for (let output = 0; output < (decoded?.size ?? 0); output++) {
      if (decoded && outputIdAt(decoded, output) === outputId) return { page, output };
    }
  }
  throw new RangeError(`the batch has no output ${outputId}`);
};

const decodedOrNone = (page: Uint8Array) => {
  try {
    return decodePage(page);
  } catch (error) {
    if (error instanceof PageDecodeError) return undefined;
    throw error;
  }
};
