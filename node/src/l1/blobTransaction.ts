import { bytesToHex, concatHex, fromRlp, type Hex, toRlp } from 'viem';
import type { Kzg } from './kzg.ts';

/** Which proofs L1's pool wants beside blobs: one a blob (EIP-4844), or one a cell since Osaka (EIP-7594). */
export type BlobProofs = 'blob' | 'cell';

/** Mainnet, Sepolia and Hoodi are past Osaka; a devnet is what it was started as, and says so by option. */
const PAST_OSAKA: ReadonlySet<number> = new Set([1, 11_155_111, 560_048]);

export const blobProofsOf = (l1ChainId: number): BlobProofs => (PAST_OSAKA.has(l1ChainId) ? 'cell' : 'blob');

const CELL_WRAPPER_VERSION: Hex = '0x01';

export type BlobSidecar = {
  readonly blobs: readonly Uint8Array[];
  readonly commitments: readonly Uint8Array[];
  readonly proofs: readonly Uint8Array[];
  readonly versionedHashes: readonly Hex[];
  readonly kind: BlobProofs;
};

export const makeSidecar = async (blobs: readonly Uint8Array[], kzg: Kzg, kind: BlobProofs): Promise<BlobSidecar> => {
  const commitments = blobs.map((blob) => kzg.blobToCommitment(blob));
  const proofs: Uint8Array[] = [];
  for (const [index, blob] of blobs.entries()) {
    if (kind === 'cell') proofs.push(...(await kzg.computeCellProofs(blob)));
    else proofs.push(kzg.computeProof(blob, commitments[index] ?? new Uint8Array()));
  }
  return { blobs, commitments, proofs, versionedHashes: commitments.map(kzg.versionedHash), kind };
};

/** A signed type 3 transaction as it is sent: with its blobs, commitments and proofs around it ("network form"). */
export const wrapBlobTransaction = (signed: Hex, sidecar: BlobSidecar): Hex => {
  const hex = (items: readonly Uint8Array[]): Hex[] => items.map((item) => bytesToHex(item));
  const version = sidecar.kind === 'cell' ? [CELL_WRAPPER_VERSION] : [];
  const payload = fromRlp(`0x${signed.slice(4)}`, 'hex');
  const parts = [payload, ...version, hex(sidecar.blobs), hex(sidecar.commitments), hex(sidecar.proofs)];
  return concatHex(['0x03', toRlp(parts as Parameters<typeof toRlp>[0]) as Hex]);
};
