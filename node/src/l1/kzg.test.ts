import { bytesToHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { type Kzg, loadKzg, loadNativeKzg, loadPureKzg } from './kzg.ts';

const blob = new Uint8Array(131_072).map((_, i) => (i % 32 === 0 ? 0 : (i * 7) & 0xff));
/** Every implementation has to pass it. */
const kzgSuite = (name: string, load: () => Promise<Kzg>) =>
  describe(`KZG of ${name}`, () => {
    it('commits to a blob, proves it, and takes no other proof, commitment or blob', async () => {
      const kzg = await load();
      const commitment = kzg.blobToCommitment(blob);
      const proof = kzg.computeProof(blob, commitment);
      expect([commitment.length, proof.length]).toEqual([48, 48]);
      expect(kzg.verifyProof(blob, commitment, proof)).toBe(true);
      expect(kzg.verifyProof(blob, commitment, commitment)).toBe(false);
      const other = blob.with(40, 0xff);
      expect(kzg.verifyProof(other, commitment, proof)).toBe(false);
      expect(kzg.versionedHash(commitment)).toMatch(/^0x01[0-9a-f]{62}$/);
    });
    it('refuses what is not a blob', async () => {
      const kzg = await load();
      expect(() => kzg.blobToCommitment(new Uint8Array(10))).toThrow();
      expect(() => kzg.blobToCommitment(blob.with(0, 0xff))).toThrow();
    });
  });

kzgSuite('c-kzg', loadNativeKzg);
kzgSuite('micro-eth-signer', loadPureKzg);

describe('KZG', () => {
  it('is the native one where it loads, and both give the same bytes', async () => {
    const [native, pure] = [await loadKzg(), await loadPureKzg()];
    expect(native.name).toBe('c-kzg');
    const commitment = native.blobToCommitment(blob);
    expect(bytesToHex(pure.blobToCommitment(blob))).toBe(bytesToHex(commitment));
    expect(pure.versionedHash(commitment)).toBe(native.versionedHash(commitment));
    expect(bytesToHex(pure.computeProof(blob, commitment))).toBe(bytesToHex(native.computeProof(blob, commitment)));
  });
});
