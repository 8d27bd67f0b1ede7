import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, type Hex, hexToBytes } from 'viem';
import { decodeBlob, encodeBlob } from '../../../node/src/channels/blobCodec.ts';
import { indexBlobs, parseBeaconTiming, parseBlobs } from '../../../node/src/l1/beaconClient.ts';
import { loadKzg } from '../../../node/src/l1/kzg.ts';
import type { Case, Suite } from '../suite.ts';

type Sidecar = { readonly index: string; readonly blob: Hex; readonly kzg_commitment: Hex; readonly kzg_proof: Hex };

const equal = (what: string, actual: unknown, expected: unknown): void => {
  if (actual !== expected)
    throw new Error(`${what}: ${String(actual).slice(0, 100)} is not ${String(expected).slice(0, 100)}`);
};

const filesOf = (folder: string, pattern: RegExp): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => pattern.test(file))
        .sort()
    : [];

const readText = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8').trim();

/** A byte in the middle of a field element: the blob stays one, but another. */
const tampered = (blob: Uint8Array): Uint8Array => blob.with(40, (blob[40] ?? 0) ^ 1);

/** Commitment, proof and versioned hash hold for this blob and no longer when a byte of it changes. */
const checkKzg = async (blob: Uint8Array, given?: { commitment: Hex; proof: Hex }): Promise<void> => {
  const kzg = await loadKzg();
  const commitment = kzg.blobToCommitment(blob);
  const proof = kzg.computeProof(blob, commitment);
  if (given) {
    equal('commitment', bytesToHex(commitment), given.commitment);
    equal('proof', bytesToHex(proof), given.proof);
  }
  equal('proof verifies', kzg.verifyProof(blob, commitment, proof), true);
  equal('proof verifies for another blob', kzg.verifyProof(tampered(blob), commitment, proof), false);
  const hash = kzg.versionedHash(commitment);
  equal('found by versioned hash', indexBlobs(kzg, [blob]).has(hash), true);
  equal('another blob found by it', indexBlobs(kzg, [tampered(blob)]).has(hash), false);
};

const rollupBlobCases = (folder: string): Case[] =>
  filesOf(folder, /^blob.*\.txt$/).map((file) => ({
    name: file,
    run: async () => {
      const blob = hexToBytes(readText(folder, file) as Hex);
      equal('encoded again', bytesToHex(encodeBlob(decodeBlob(blob))), bytesToHex(blob));
      await checkKzg(blob);
    },
  }));

const anyBlobCases = (folder: string): Case[] =>
  filesOf(folder, /^verify_blob.*\.txt$/).map((file) => ({
    name: file,
    run: () => checkKzg(hexToBytes(readText(folder, file) as Hex)),
  }));

const sidecarCases = (folder: string): Case[] =>
  filesOf(folder, /blob_sidecars.*\.json$/).flatMap((file) => {
    const answer = JSON.parse(readText(folder, file)) as { data: Sidecar[] };
    return answer.data.map(({ index, kzg_commitment, kzg_proof }, at) => ({
      name: `${file} ${index}`,
      run: () => {
        const blob = parseBlobs(answer)[at];
        if (!blob) throw new Error('the client does not read this sidecar');
        return checkKzg(blob, { commitment: kzg_commitment, proof: kzg_proof });
      },
    }));
  });

/** `<..>beacon_genesis<network>.json` goes with `<..>config_spec<network>.json`. */
const timingCases = (folder: string): Case[] =>
  filesOf(folder, /beacon_genesis.*\.json$/).map((file) => ({
    name: file,
    run: () => {
      const spec = filesOf(folder, /config_spec.*\.json$/).find(
        (other) => other.split('config_spec')[1] === file.split('beacon_genesis')[1],
      );
      if (!spec) throw new Error('no config spec of this network');
      const [genesisJson, specJson] = [file, spec].map((name) => JSON.parse(readText(folder, name)));
      const timing = parseBeaconTiming(genesisJson, specJson);
      equal('genesis time', timing.genesisTime, BigInt(genesisJson.data.genesis_time));
      equal('seconds per slot', timing.secondsPerSlot, BigInt(specJson.data.SECONDS_PER_SLOT));
    },
  }));

/** Blobs of hildr's tests and a beacon node's real answers: codec, KZG and beacon client. */
export const blobs: Suite = {
  name: 'blobs',
  cases: async (fixtures) => {
    const hildr = join(fixtures, 'hildr');
    const beacon = join(fixtures, 'optimism', 'op-service_eth_testdata');
    const cases = [...rollupBlobCases(hildr), ...anyBlobCases(hildr), ...sidecarCases(beacon), ...timingCases(beacon)];
    return cases.length > 0 ? cases : undefined;
  },
};
