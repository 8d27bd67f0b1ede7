import { isForkActive, type RollupConfig } from '@openledger/chain-config';
import { isOpenLedgerError } from '@openledger/kit';
import { decodeBlob } from '../channels/blobCodec.ts';
import type { L1Block, L1Source, L1Transaction } from '../l1/l1Source.ts';
import { fromHex } from '../primitives/hex.ts';
import type { L1Traversal } from './l1Traversal.ts';
import type { Pending } from './stage.ts';

const BLOB_TYPE = 3;
/** Types that may carry batches: known ones up to blobs, and deposits for rollups on rollups. Set-code isn't among them. */
const BATCHER_TYPES: ReadonlySet<number> = new Set([0, 1, 2, BLOB_TYPE, 0x7e]);

/** The data of an L1 block's batcher transactions, one at a time (derivation.md and ecotone/derivation.md, "L1 Retrieval"). */
export class L1Retrieval {
  readonly #traversal: L1Traversal;
  readonly #l1: Pick<L1Source, 'transactions' | 'blobs'>;
  readonly #config: RollupConfig;
  #dataFrom = 0n;
  #readNumber: bigint | undefined;
  #data: Uint8Array[] = [];

  constructor(options: {
    traversal: L1Traversal;
    l1: Pick<L1Source, 'transactions' | 'blobs'>;
    config: RollupConfig;
  }) {
    this.#traversal = options.traversal;
    this.#l1 = options.l1;
    this.#config = options.config;
  }

  /** Blocks below `dataFrom` are passed over: what they say is derived already. */
  reset(dataFrom: bigint): void {
    this.#dataFrom = dataFrom;
    this.#readNumber = undefined;
    this.#data = [];
  }

  async nextData(): Promise<Uint8Array | Pending> {
    const { origin } = this.#traversal;
    if (this.#readNumber !== origin.number) {
      this.#data = origin.number < this.#dataFrom ? [] : await this.#read(origin);
      this.#readNumber = origin.number;
    }
    return this.#data.shift() ?? 'end-of-source';
  }

  async #read(block: L1Block): Promise<Uint8Array[]> {
    const transactions = (await this.#l1.transactions(block)).filter((transaction) => this.#isBatcher(transaction));
    const ecotone = isForkActive(this.#config.forks, 'ecotone', block.timestamp);
    const carriesBlobs = ({ type }: L1Transaction) => ecotone && type === BLOB_TYPE;
    const hashes = transactions.filter(carriesBlobs).flatMap(({ blobVersionedHashes }) => blobVersionedHashes);
    const blobs = hashes.length > 0 ? [...(await this.#l1.blobs(block, hashes))] : [];
    return transactions.flatMap((transaction) =>
      carriesBlobs(transaction)
        ? blobs.splice(0, transaction.blobVersionedHashes.length).flatMap(decodeOrSkip)
        : [fromHex(transaction.input)],
    );
  }

  #isBatcher({ type, from, to }: L1Transaction): boolean {
    return (
      BATCHER_TYPES.has(type) &&
      to?.toLowerCase() === this.#config.batchInboxAddress.toLowerCase() &&
      from.toLowerCase() === this.#traversal.systemConfig.batcherAddress.toLowerCase()
    );
  }
}

const decodeOrSkip = (blob: Uint8Array): Uint8Array[] => {
  try {
    return [decodeBlob(blob)];
  } catch (error) {
    if (isOpenLedgerError(error, 'BLOB_MALFORMED')) return [];
    throw error;
  }
};
