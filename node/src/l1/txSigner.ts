import { type Hex, keccak256, type LocalAccount } from 'viem';
import {
  type BlobProofs,
  type BlobSidecar,
  blobProofsOf,
  makeSidecar,
  wrapBlobTransaction,
} from './blobTransaction.ts';
import { loadKzg } from './kzg.ts';
import type { TxFees } from './txFees.ts';
import type { TxAttempt, TxRequest } from './txJournal.ts';

export type TxSignerOptions = {
  readonly signer: LocalAccount;
  readonly chainId: number;
  /** By default what the chain wants, where it's a public one. */
  readonly blobProofs?: BlobProofs;
};

/** Makes signed L1 transactions of requests: type 2, or type 3 when there are blobs. */
export class TxSigner {
  readonly #options: TxSignerOptions;
  /** Commitments and proofs take long; an attempt that offers more has the same. */
  readonly #sidecars = new WeakMap<readonly Uint8Array[], Promise<BlobSidecar>>();

  constructor(options: TxSignerOptions) {
    this.#options = options;
  }

  async sign({ to, data, gas, blobs }: TxRequest, nonce: bigint, fees: TxFees): Promise<TxAttempt> {
    const { signer, chainId } = this.#options;
    const { maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = fees;
    const common = { chainId, nonce: Number(nonce), to, data, gas, maxFeePerGas, maxPriorityFeePerGas };
    const raw =
      blobs.length === 0
        ? await signer.signTransaction({ ...common, type: 'eip1559' })
        : await signer.signTransaction({
            ...common,
            type: 'eip4844',
            maxFeePerBlobGas,
            blobVersionedHashes: (await this.#sidecar(blobs)).versionedHashes,
          });
    return { ...fees, raw, hash: keccak256(raw) };
  }

  /** The attempt as it is sent: blobs travel beside the transaction. */
  async sendable({ blobs }: TxRequest, { raw }: TxAttempt): Promise<Hex> {
    return blobs.length === 0 ? raw : wrapBlobTransaction(raw, await this.#sidecar(blobs));
  }

  #sidecar(blobs: readonly Uint8Array[]): Promise<BlobSidecar> {
    const known = this.#sidecars.get(blobs);
    if (known) return known;
    const { chainId, blobProofs = blobProofsOf(chainId) } = this.#options;
    const made = loadKzg().then((kzg) => makeSidecar(blobs, kzg, blobProofs));
    this.#sidecars.set(blobs, made);
    return made;
  }
}
